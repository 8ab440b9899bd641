"""Reading a config and the command line's changes to it, with mistakes told in one line."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from functools import reduce
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from ..errors import UserError
from .config_file import read_config
from .config_values import check_values
from .image_folders import check_image_folders
from .presets import apply_preset
from .section import LwdnaSection, ShrinkOptions, nearest

DATALOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
# What a mmengine Runner reads at the top level of a config, and what this package adds.
RUNNER_KEYS = (
    *DATALOADERS,
    *("model", "data_preprocessor", "model_wrapper_cfg", "custom_imports", "compile"),
    *("train_cfg", "val_cfg", "test_cfg", "optim_wrapper", "param_scheduler", "auto_scale_lr"),
    *("val_evaluator", "test_evaluator", "default_hooks", "custom_hooks", "load_from", "resume", "launcher"),
    *("env_cfg", "log_processor", "log_level", "visualizer", "default_scope", "randomness", "work_dir"),
    *("experiment_name", "activation_checkpointing", "efficient_conv_bn_eval", "sync_bn"),
)
OWN_KEYS = ("lwdna", "input_shape", "amortized", "subset", "select", "skip_nonfinite")


def load_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config file, apply ``--cfg-options`` and hand ``data_root`` to the datasets.

    Args:
        path: the config file.
        options: dotted key to value, as ``--cfg-options`` gives them; what is said of a key holds before what is said
            of a dict that has it, whatever their order.

    Raises:
        UserError: the file or one of its bases is not there or cannot be executed, a key is misspelt, or a value
            cannot be.
    """
    cfg = read_config(path)
    for key in cfg:
        _check_top_level(key, cfg)
    # A dict would replace what is said before it of its keys; what comes after it is written into it.
    options = copy.deepcopy(dict(sorted((options or {}).items(), key=lambda option: option[0].count("."))))
    _check_nested(options)
    if isinstance(cfg.get("lwdna"), Mapping):  # before the defaults are written out
        cfg.lwdna.update(_take_preset(options))
    _fill_section(cfg)
    for key in {key.split(".")[0] for key in options} & {"subset", "select"}:
        if cfg.get(key) is None:  # so that the options work on a config that has no such section
            cfg[key] = {}
    for key in options:
        _check_option(key, cfg)
    _keep_inputs(cfg, options)
    try:
        cfg.merge_from_dict(_replacing(cfg, options))
    except (TypeError, KeyError) as error:  # mmengine's word for a key below what is no dict
        raise UserError(f"--cfg-options: {error.args[0]}") from error
    check_values(cfg)
    _fill_data_root(cfg)
    return cfg


def _take_preset(options: dict[str, Any]) -> dict[str, Any]:
    """The preset that the options give, as a dict of that key; it is taken out of them."""
    given = options.get("lwdna")
    if isinstance(given, Mapping) and "preset" in given and not given.get("_delete_"):
        options["lwdna"] = {key: value for key, value in given.items() if key != "preset"}
        return dict(preset=given["preset"])
    return dict(preset=options.pop("lwdna.preset")) if "lwdna.preset" in options else {}


def iterate_datasets(cfg: Config, loaders: Sequence[str] = DATALOADERS) -> Iterator[tuple[str, ConfigDict]]:
    """Yield (name of the dataloader, dataset config) for every innermost dataset of the named dataloaders."""
    for name in loaders:
        configs = cfg.get(name) or []
        for loader in configs if isinstance(configs, list) else [configs]:
            for dataset in _innermost(loader["dataset"]):
                yield name, dataset


def check_data(cfg: Config, loaders: Sequence[str]) -> None:
    """Check that the folders and files which the datasets of the named dataloaders need are there.

    Raises:
        UserError: naming the first path that does not exist, or folder that is empty.
    """
    for name, dataset in iterate_datasets(cfg, loaders):
        if dataset.get("download"):  # the user has asked for files that are not there yet
            continue
        root = dataset.get("data_root") or ""
        prefix = dataset.get("data_prefix") or {}
        inside = list(prefix.values()) if isinstance(prefix, Mapping) else [prefix]
        inside.append(dataset.get("ann_file"))
        for part in ["", *inside]:
            path = Path(root, part or "")
            if not root and not part:  # needs no files
                continue
            if not path.exists():
                key = "data_root" if cfg.get("data_root") == root else f"{name}.dataset.data_root"
                raise UserError(f"{name}: {path} does not exist; give the data's folder: --cfg-options {key}=PATH")
            if path.is_dir() and not any(path.iterdir()):
                raise UserError(f"{name}: the folder {path} is empty; put the data there, or mend data_root")
            if part and path.is_file() and dataset.get("ann_file") != part:
                raise UserError(f"{name}: {path} is a file, but must be a folder")
    check_image_folders(pair for pair in iterate_datasets(cfg, loaders) if not pair[1].get("download"))


def _innermost(dataset: ConfigDict) -> Iterator[ConfigDict]:
    """Look into wrappers such as RepeatDataset and ConcatDataset."""
    inner = dataset.get("dataset") or dataset.get("datasets")
    if inner is None:
        yield dataset
    else:
        for one in inner if isinstance(inner, list) else [inner]:
            yield from _innermost(one)


def _fill_data_root(cfg: Config) -> None:
    """Give the top-level ``data_root`` to the datasets that name none.

    A config's variables are resolved when the file is read, too early for ``--cfg-options data_root=...``.
    """
    if cfg.get("data_root") is not None:
        for _, dataset in iterate_datasets(cfg):
            if dataset.get("data_root") is None:
                dataset.data_root = cfg.data_root


def _fill_section(cfg: Config) -> None:
    """Write the defaults of the ``lwdna`` section out, so that ``--cfg-options`` can change each of them."""
    section = cfg.get("lwdna")
    if isinstance(section, Mapping) and isinstance(section.get("shrink", {}), Mapping):
        section = apply_preset(section)
        shrink = {**asdict(ShrinkOptions()), **section.get("shrink", {})}
        defaults = dict(widen=LwdnaSection.widen, budget=dict(flops=1.0), init=LwdnaSection.init)
        cfg.lwdna = {**defaults, **section, "shrink": shrink}


def _keep_inputs(cfg: Config, options: Mapping[str, Any]) -> None:
    """Keep what the section says of the inputs where an option takes it out: the baseline is traced with the same."""
    section = cfg.get("lwdna")
    if isinstance(section, Mapping) and options.get("lwdna", section) is None:
        for key in ("input_shape", "amortized"):
            if cfg.get(key) is None and section.get(key) is not None:
                cfg[key] = section[key]


def _replacing(cfg: Config, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with a criterion or gate of another type in place of the config's, whose arguments are not its."""
    changed = dict(options)
    for key in ("lwdna.shrink.criterion", "lwdna.shrink.gate"):
        given = changed.get(key)
        if isinstance(given, Mapping) and given.get("type") not in (None, _child(_at(cfg, key), "type")):
            changed[key] = {**given, "_delete_": True}
    return changed


def _check_nested(options: Mapping[str, Any]) -> None:
    """Raise UserError where an option changes something inside what another one takes out."""
    for key in options:
        for other, value in options.items():
            if key.startswith(f"{other}.") and not isinstance(value, Mapping):
                raise UserError(f"--cfg-options {other} is {value!r}, so there is no {key!r}: give one of them")


def _check_top_level(key: str, cfg: Config) -> None:
    """Free variables are fine in a config file; a near miss of a key that is absent is a mistake."""
    known = [*RUNNER_KEYS, *OWN_KEYS]
    close = get_close_matches(key, known, n=1, cutoff=0.8)
    if key not in known and close and close[0] not in cfg:
        raise UserError(f"{cfg.filename}: unknown key {key!r}, did you mean {close[0]!r}?")


def _check_option(key: str, cfg: Config) -> None:
    *parents, leaf = key.split(".")
    node: Any = cfg
    for depth, part in enumerate(parents):
        node = _child(node, part)
        if node is None:
            where = ".".join(parents[: depth + 1])
            raise UserError(
                f"--cfg-options {key}: the config has no {where!r}; {_siblings(part, cfg, parents[:depth])}"
            )
    if not parents:
        known = [*cfg.keys(), *RUNNER_KEYS, *OWN_KEYS]
        if leaf not in known:
            raise UserError(f"--cfg-options {key}: unknown key; {nearest(leaf, known)}")
    elif isinstance(node, Mapping) and leaf not in node:
        # A new key may be an argument that the config leaves at its default; a near miss is a mistake.
        close = get_close_matches(leaf, list(node), n=1, cutoff=0.8)
        if close:
            raise UserError(f"--cfg-options {key}: unknown key {leaf!r}, did you mean {close[0]!r}?")


def _at(cfg: Config, key: str) -> Any:
    """What a dotted key names; None where there is nothing."""
    return reduce(_child, key.split("."), cfg)


def _child(node: Any, part: str) -> Any:
    if isinstance(node, (list, tuple)):
        return node[int(part)] if part.isdigit() and int(part) < len(node) else None
    return node.get(part) if isinstance(node, (Mapping, Config)) else None


def _siblings(part: str, cfg: Config, parents: list[str]) -> str:
    node = reduce(_child, parents, cfg)
    return nearest(part, [str(name) for name in node]) if isinstance(node, (Mapping, Config)) else "see the config"
