"""What the values of a config must be, for keys that every config has; all else is its components' own business."""

import logging
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from mmengine.config import Config

from ..errors import UserError

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
LEVELS = [name for name in logging.getLevelNamesMapping() if name != "NOTSET"]
MOST_SEED = 2**32 - 1

Rule = tuple[str, Callable[[Any], bool], str]


def is_whole(value: Any) -> bool:
    """Whether a value is an integer, which True is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _counts(value: Any) -> bool:
    return is_whole(value) and value >= 1


def _counts_from_zero(value: Any) -> bool:
    return is_whole(value) and value >= 0


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)


def _has_type(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value.get("type"))


def _not_negative(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_installed(value: Any) -> bool:
    return isinstance(value, str) and find_spec(value) is not None


COUNT, TYPED, DICT = "a whole number, 1 or more", "a dict with a type", "a dict"
RULES: list[Rule] = [
    ("model", _has_type, TYPED),
    *((f"{key}_cfg", _is_dict, DICT) for key in ("train", "val", "test")),
    *((f"train_cfg.{key}", _counts, COUNT) for key in ("max_epochs", "max_iters", "val_interval")),
    ("optim_wrapper", _is_dict, DICT),
    ("optim_wrapper.optimizer", _has_type, TYPED),
    ("optim_wrapper.optimizer.lr", _not_negative, "a number, 0 or more"),
    ("optim_wrapper.accumulative_counts", _counts, COUNT),
    ("randomness", _is_dict, DICT),
    (
        "randomness.seed",
        lambda value: _counts_from_zero(value) and value <= MOST_SEED,
        f"a whole number from 0 to {MOST_SEED}",
    ),
    ("log_level", lambda value: value in LEVELS, f"one of {', '.join(LEVELS)}"),
    ("custom_hooks", lambda value: isinstance(value, list) and all(map(_has_type, value)), f"a list, each {TYPED}"),
    ("default_hooks", _is_dict, DICT),
    ("default_scope", _is_installed, "the name of an installed package, such as mmpretrain"),
    ("data_root", lambda value: isinstance(value, str), "a folder"),
]
LOADER_RULES: list[Rule] = [
    ("", _is_dict, DICT),
    ("dataset", _has_type, TYPED),
    ("batch_size", _counts, COUNT),
    ("num_workers", _counts_from_zero, "a whole number, 0 or more"),
]


def check_values(cfg: Config) -> None:
    """Check the values of keys that every config has; what is None or not there is left alone.

    Raises:
        UserError: naming the first key whose value cannot be.
    """
    for key, good, wanted in RULES:
        _check(cfg, key, key, good, wanted)
    for name, loader in _loaders(cfg):
        if isinstance(loader, Mapping) and loader.get("dataset") is None:
            raise UserError(f"{cfg.filename}: {name}.dataset is missing: give {TYPED}")
        for key, good, wanted in LOADER_RULES:
            _check({"": loader} if not key else loader, key, f"{name}.{key}".rstrip("."), good, wanted)


def _loaders(cfg: Config) -> Iterator[tuple[str, Any]]:
    for name in LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, list):
            yield from ((f"{name}.{index}", one) for index, one in enumerate(loader))
        elif loader is not None:
            yield name, loader


def _check(node: Any, key: str, name: str, good: Callable[[Any], bool], wanted: str) -> None:
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping | Config) else None
    if node is not None and not good(node):
        raise UserError(f"{name} is {node!r}, but must be {wanted}")
