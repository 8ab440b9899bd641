"""The keys ``subset`` and ``select`` of a config: fewer training images, and validation on some held out of them."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from .config import iterate_datasets
from .section import nearest

SUBSET = "lwdna_mm.Subset"
SELECT = "select"  # the name that metrics on held-out images go by
PAIRS = ("TrackingPairs", "lwdna_mm.TrackingPairs")
FOLDER = ("version", "subset")  # of a folder of sequences
AMOUNTS = ("images_per_class", "share")


def apply_subset(cfg: Config) -> None:
    """Put what ``subset`` and ``select`` ask for into the dataloaders, in place; the two keys are taken out.

    The training set's innermost data sets become :func:`lwdna_mm.datasets.subset.build_subset`; of tracking pairs the
    first frames of every sequence are trained on and the last are tracked. With ``select``
    the run's validation is on what that holds out, by the config's own validation pipeline and metrics; the test
    images stay out of the training.

    Raises:
        UserError: an unknown key, or an amount that is none.
    """
    subset, select = (_parse(key, cfg.pop(key, None)) for key in ("subset", "select"))
    if subset is None and select is None:
        return
    subset = subset or {}
    seed = subset.pop("seed", 0)
    if not subset and not select:
        raise UserError("subset: give images_per_class or share")
    options = dict(subset=subset or None, select=select, seed=seed)
    cfg.train_dataloader = copy.deepcopy(cfg.train_dataloader)
    datasets = [dataset for _, dataset in iterate_datasets(cfg, ["train_dataloader"])]
    if select and cfg.get("val_dataloader") is not None:
        _validate_on(cfg, [_part("select", dataset, options) for dataset in datasets])
    for dataset in datasets:
        part = _part("train", dataset, options)
        dataset.clear()
        dataset.update(part)


def judge_training_set(cfg: Config) -> bool:
    """Let the test set be the images that the config trains on, in place, by its validation pipeline and metrics.

    Returns:
        Whether that can be: not where validation is on another kind of data set, such as whole videos.
    """
    if not _same_kind(cfg):
        return False
    apply_subset(cfg)
    _validate_on(cfg, [copy.deepcopy(dict(part)) for part in _parts(cfg.train_dataloader.dataset)])
    cfg.test_dataloader, cfg.test_evaluator = cfg.val_dataloader, cfg.val_evaluator
    return True


def hold_out(dataset: Mapping[str, Any], share: float, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split what a completed config trains on in two that have no image in common.

    Args:
        dataset: the training set's config, after :func:`apply_subset`.
        share: of the images, of every class where there are classes, that is held out; of tracking sequences, the
            last frames.
        seed: another seed holds out others.

    Returns:
        The configs of the rest and of the held-out images, both with the training's transforms.
    """
    halves = []
    for part in ("train", "select"):
        half = copy.deepcopy(dict(dataset))
        for one in list(_parts(half)):
            cut = _part(part, one, dict(select=dict(share=share), seed=seed))
            one.clear()
            one.update(cut)
        halves.append(half)
    return halves[0], halves[1]


def validate_on_held_out(cfg: Config, share: float, seed: int) -> None:
    """Let a completed config validate on a part of its training images, in place, and train on the others.

    Raises:
        UserError: it does not validate, or not on such data as it trains on.
    """
    pairs = all(dataset.type in PAIRS for _, dataset in iterate_datasets(cfg, ["train_dataloader"]))
    if cfg.get("val_dataloader") is None or not (pairs or _same_kind(cfg)):
        raise UserError(
            f"{cfg.filename}: profiles are judged by the config's own validation on held-out training images, which "
            "needs a val_dataloader, and one of the training set's kind; take another criterion"
        )
    train, held_out = hold_out(cfg.train_dataloader.dataset, share, seed)
    cfg.train_dataloader = {**copy.deepcopy(cfg.train_dataloader), "dataset": train}
    _validate_on(cfg, [dict(part) for part in _parts(held_out)])


def _same_kind(cfg: Config) -> bool:
    kinds = [{str(one.type) for _, one in iterate_datasets(cfg, [f"{name}_dataloader"])} for name in ("train", "val")]
    return kinds[0] == kinds[1]


def _parts(dataset: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The innermost data sets, or what takes a part of them."""
    inner = dataset.get("dataset") or dataset.get("datasets")
    if inner is None or dataset["type"] == SUBSET:
        yield dataset
    else:
        for one in inner if isinstance(inner, list) else [inner]:
            yield from _parts(one)


def _parse(key: str, given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise UserError(f"{key} is {given!r}, but must be a dict such as dict(images_per_class=50)")
    given = dict(given)
    known = (*AMOUNTS, "seed") if key == "subset" else AMOUNTS
    for name in given:
        if name not in known:
            raise UserError(f"{key} has no key {name!r}: {nearest(name, known)}")
    amounts = [name for name in AMOUNTS if name in given]
    if len(amounts) > 1 or (not amounts and "seed" not in given):
        raise UserError(f"{key}: give either images_per_class or share")
    rules = [
        ("images_per_class", lambda value: _whole(value) and value >= 1, "a whole number above 0"),
        ("share", lambda value: isinstance(value, float | int) and 0 < value <= 1, "above 0 and at most 1"),
        ("seed", lambda value: _whole(value) and value >= 0, "a whole number, 0 or more"),
    ]
    for name, good, wanted in rules:
        if name in given and not good(given[name]):
            raise UserError(f"{key}.{name} is {given[name]!r}, but must be {wanted}")
    return given


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _part(part: str, dataset: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    if dataset["type"] in PAIRS:
        return _stretch(part, dataset, **options)
    return dict(type=SUBSET, dataset=copy.deepcopy(dict(dataset)), part=part, **copy.deepcopy(options))


def _stretch(part: str, dataset: Mapping[str, Any], select: Mapping | None, subset: Mapping | None = None, **_: Any):
    """Tracking pairs from the first or the last frames of every sequence."""
    if subset:
        raise UserError("subset: tracking pairs have no list of images to take a part of; name fewer sequences")
    if not select or "share" not in select:
        raise UserError("select.images_per_class: tracking pairs have no classes; give select.share")
    begin, end = dataset.get("frames", (0.0, 1.0))
    border = end - select["share"] * (end - begin)
    return dict(copy.deepcopy(dict(dataset)), frames=(begin, border) if part == "train" else (border, end))


def _tracked(pairs: Mapping[str, Any]) -> dict[str, Any]:
    """The sequences out of which pairs are cut, to be tracked whole."""
    kept = {name: pairs[name] for name in ("data_root", "format", "sequences", "frames", *FOLDER) if name in pairs}
    return dict(type="lwdna_mm.TrackingSequences", **kept)


def _validate_on(cfg: Config, parts: list[dict[str, Any]]) -> None:
    """Replace the validation set; where there are several (mmagic's MultiValLoop), the first one's pipeline counts."""
    _, validation = next(iterate_datasets(cfg, ["val_dataloader"]))
    for part in parts:
        innermost = part
        while innermost["type"] == SUBSET:
            innermost = innermost["dataset"]
        if innermost["type"] in PAIRS:
            tracked = _tracked(innermost)
            innermost.clear()
            innermost.update(tracked)
        else:
            innermost["pipeline"] = copy.deepcopy(validation.get("pipeline", []))
    dataset = parts[0] if len(parts) == 1 else dict(type="ConcatDataset", datasets=parts)
    loaders, evaluators = cfg.val_dataloader, cfg.val_evaluator
    if isinstance(loaders, list):
        cfg.val_dataloader = [{**copy.deepcopy(loaders[0]), "dataset": dataset}]
        cfg.val_evaluator = [_renamed(evaluators[0])]
    else:
        cfg.val_dataloader = {**copy.deepcopy(loaders), "dataset": dataset}
        cfg.val_evaluator = _renamed(evaluators)
    _monitor_renamed(cfg, {*_prefixes(evaluators)})


def _prefixes(evaluators: Any) -> Iterator[str]:
    """The names that metrics of evaluators' configs go by."""
    for one in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        yield from _prefixes(one.get("metrics", []))
        if one.get("prefix"):
            yield one["prefix"]


def _monitor_renamed(cfg: Config, prefixes: set[str]) -> None:
    """Let what watches a metric, such as the choice of the best checkpoint, watch it under its new name."""
    watching = [(cfg.get("default_hooks", {}).get("checkpoint") or {}, "save_best")]
    for key in ("custom_hooks", "param_scheduler"):
        given = cfg.get(key) or []
        watching += [(one, "monitor") for one in (given if isinstance(given, (list, tuple)) else [given])]
    for one, key in watching:
        if one.get(key):
            one[key] = _watched(one[key], prefixes)


def _watched(metric: Any, prefixes: set[str]) -> Any:
    """The name, or the list of names, of what is watched on the held-out images."""
    if isinstance(metric, (list, tuple)):
        return list(dict.fromkeys(_watched(one, prefixes) for one in metric))
    prefix, _, name = metric.rpartition("/")
    return f"{SELECT}/{name}" if prefix in prefixes else metric


def _renamed(evaluator: Any) -> Any:
    """A copy of an evaluator's config whose metrics do not go by the name of the set that they were meant for."""
    if isinstance(evaluator, (list, tuple)):
        return [_renamed(one) for one in evaluator]
    renamed = copy.deepcopy(dict(evaluator))
    if "metrics" in renamed:
        renamed["metrics"] = _renamed(renamed["metrics"])
    if "prefix" in renamed:
        renamed["prefix"] = SELECT
    return renamed
