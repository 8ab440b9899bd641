"""The metrics of a config's test set, with weights of its network or of that network resized to a plan."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..errors import UserError
from ..files import naming_path
from ..runs.checkpoint_file import check_fits, load_checkpoint_file
from .beginning import Beginning
from .config import check_data
from .planned import apply_plan, naming_plan
from .protocol import experiment_name
from .types import check_types


def evaluate(cfg: Config, checkpoint: str | Path | None, plan: str | Path | None = None) -> dict[str, float]:
    """Compute the metrics of the config's test set.

    Args:
        cfg: from :func:`load_config`; changed in place.
        checkpoint: weights of the config's network, or of that network resized to a plan; None only where the
            network has none, such as bicubic interpolation.
        plan: that plan; by default the one in the checkpoint.

    Raises:
        UserError: the data, the plan or the checkpoint cannot be used.
    """
    cfg.work_dir = cfg.get("work_dir") or str(Path("work_dirs", Path(cfg.filename).stem, "test"))
    for key in ("model", "test_dataloader", "test_evaluator"):
        if cfg.get(key) is None:
            raise UserError(f"{cfg.filename} has no {key}, so there is nothing to evaluate")
    check_types(cfg)
    check_data(cfg, ["test_dataloader"])
    loaded = load_checkpoint_file(checkpoint) if checkpoint else dict(state_dict={})
    apply_plan(cfg, loaded, plan)
    cfg.load_from, cfg.resume = checkpoint and str(checkpoint), False
    cfg.experiment_name = experiment_name(cfg, "test")
    with naming_path(cfg.work_dir), Beginning(cfg) as beginning:
        with naming_plan(plan or checkpoint):
            runner = Runner.from_cfg(cfg)
        return _test(runner, checkpoint, loaded, beginning)


def _test(
    runner: Runner, checkpoint: str | Path | None, loaded: dict[str, Any], beginning: Beginning
) -> dict[str, float]:
    if checkpoint is None and any(True for _ in runner.model.parameters()):
        raise UserError(f"{runner.cfg.filename}: the network has weights, give a checkpoint")
    model = getattr(runner.model, "module", runner.model)  # as it is before several processes wrap it
    check_fits(loaded["state_dict"], checkpoint, model.state_dict())
    _check_classes(runner, checkpoint, loaded)
    kept = _KeepMetrics()
    runner.register_hook(beginning)
    runner.register_hook(kept)
    runner.test()
    return kept.metrics


def _check_classes(runner: Runner, checkpoint: str | Path | None, loaded: dict[str, Any]) -> None:
    """Check that the labels of the test set are those of the training."""
    trained = (loaded.get("meta", {}).get("dataset_meta") or {}).get("classes")
    loader = getattr(runner.test_loop, "dataloader", None)  # mmagic's loop over several test sets has no one loader
    here = (getattr(getattr(loader, "dataset", None), "metainfo", None) or {}).get("classes")
    if trained and here and list(trained) != list(here):
        differing = next(iter(sorted({*trained} ^ {*here}, key=str)), "their order")
        raise UserError(
            f"test_dataloader: its {len(here)} classes must be the {len(trained)} that {checkpoint} was trained on, in "
            f"their order; a difference is {differing!r}"
        )


class _KeepMetrics(Hook):
    """Holds the metrics of a test, which mmagic's loop reports to hooks but does not return."""

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        self.metrics = {name: _plain(value) for name, value in metrics.items()}


def _plain(value: Any) -> Any:
    """A number, or nested lists of them, of an array or tensor: as JSON has them."""
    return value.tolist() if hasattr(value, "tolist") else value
