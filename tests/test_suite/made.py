"""Records of runs that nobody has done: for tests only."""

from lwdna_mm.suite.records import Record

WIDTHS = {"stem": 16, "layer2": 32, "layer10": 64}
SHARES = {
    "lwdna": (1.0, 0.26, 1.39),
    "narrow": (0.27, 0.26, 0.5),
    "wider": (1.7, 1.6, 1.3),
    "random": (1.0, 1.23, 1.05),
    "tilt": (1.0, 0.32, 1.3),
    "torch-pruning": (1.0, 0.5, 1.2),
}


def make(arm="lwdna", value=24.3, seed=0, task="50", **changes):
    """One record; whatever is not given is plausible."""
    family = next((name for name in SHARES if arm.startswith(name)), None)
    shares = dict(zip(("flops", "params", "acts"), SHARES.get(family, (1.0, 1.0, 1.0)), strict=True))
    given = dict(suite="tiny", task=task, size=int(task) if task.isdigit() else None, arm=arm, seed=seed, stage="test")
    given.update(
        metric="accuracy/top1",
        value=value,
        train_value=None if value is None else value + 40.0,
        train_loss=0.5,
        shares=shares,
    )
    given.update(flops=int(5e7 * shares["flops"]), params=int(8e5 * shares["params"]), acts=int(1e6 * shares["acts"]))
    given.update(search_seconds=4.0 if family else None, training_seconds=600.0 * shares["acts"], samples=200_000)
    scale = {"stem": 2, "layer2": 1, "layer10": 0.5} if family == "lwdna" else dict.fromkeys(WIDTHS, 1)
    given.update(widths={name: int(WIDTHS[name] * scale[name]) for name in WIDTHS} if arm != "baseline" else None)
    given.update(options={"lwdna.init": "inherit"}, machine="AMD EPYC, 1 thread", date="2026-11-24")
    given.update(torch="2.14.1", code="5b8c5ca", spec="abc")
    return Record(**{**given, **changes})


def make_arm(arm, *values, **changes):
    """An arm's runs, seed by seed; None leaves a seed out."""
    return [make(arm, value, seed, **changes) for seed, value in enumerate(values) if value is not None]
