"""The types that a config names for its training, looked up before anything is built: some are built last."""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import (
    EVALUATOR,
    HOOKS,
    METRICS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    Registry,
    init_default_scope,
)

from ..errors import UserError
from .section import nearest


def check_types(cfg: Config) -> None:
    """Check that there is what the config names as optimizer, schedules, hooks and metrics.

    Raises:
        UserError: naming the first key whose type no registry has.
    """
    init_default_scope(cfg.get("default_scope") or "mmengine")
    for key, registry, kind in _named(cfg):
        if isinstance(kind, str):
            with registry.switch_scope_and_registry(None) as found:
                if found.get(kind) is None:
                    raise UserError(f"{key}.type is {kind!r}, which there is none of: {nearest(kind, names_of(found))}")


def type_name(kind: Any) -> str:
    """The last name of a type in a config, which may be a class, or a string with a scope or a path."""
    return str(getattr(kind, "__name__", kind)).rpartition(".")[2]


def names_of(registry: Registry | None) -> list[str]:
    """What a registry and those above it have."""
    names: list[str] = []
    while registry is not None:
        names += registry.module_dict
        registry = registry.parent
    return names


def _named(cfg: Config) -> Iterator[tuple[str, Registry, Any]]:
    """Key, registry and type."""
    wrapper = cfg.get("optim_wrapper") or {}
    yield from _typed("optim_wrapper", wrapper, OPTIM_WRAPPERS)
    yield from _typed("optim_wrapper.optimizer", wrapper.get("optimizer"), OPTIMIZERS)
    yield from _typed("param_scheduler", cfg.get("param_scheduler"), PARAM_SCHEDULERS)
    yield from _typed("custom_hooks", cfg.get("custom_hooks"), HOOKS)
    for name, hook in (cfg.get("default_hooks") or {}).items():
        yield from _typed(f"default_hooks.{name}", hook, HOOKS)
    for name in ("val_evaluator", "test_evaluator"):
        evaluators = cfg.get(name)
        for one in evaluators if isinstance(evaluators, list) else [evaluators]:
            holds_metrics = isinstance(one, dict) and "metrics" in one
            yield from _typed(name, one, EVALUATOR if holds_metrics else METRICS)
            yield from _typed(f"{name}.metrics", one.get("metrics") if holds_metrics else None, METRICS)


def _typed(key: str, given: Any, registry: Registry) -> Iterator[tuple[str, Registry, Any]]:
    several = isinstance(given, list | tuple)
    for index, one in enumerate(given if several else [given]):
        if isinstance(one, dict) and one.get("type") is not None:
            yield (f"{key}.{index}" if several else key), registry, one["type"]
