"""Errors of what a config names, in one line: which key, of which type, and what is wrong with it."""

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

from .section import nearest
from .types import names_of


def explain(error: Exception, cfg: Config) -> str:
    """One line about an error that was raised while something of a config was built or first used."""
    said = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    said = (said.strip().splitlines() or [""])[0]
    built, given, cls, registry = _innermost(error)
    places = dict(_places(cfg.to_dict(), built)) if built else {}
    place = next((key for key, node in places.items() if node == given), next(iter(places), ""))
    where = f"{place} ({built}): " if place else f"{built}: " if built else ""
    if registry is not None and said.startswith(f"{built} is not in the "):
        meant = nearest(built, names_of(registry))
        return f"{cfg.filename}: {place or registry.name}.type is {built!r}, which there is none of: {meant}"
    unknown = re.search(r"unexpected keyword argument '(\w+)'", said)
    if unknown and inspect.isclass(cls):
        return f"{cfg.filename}: {where}no argument {unknown[1]!r}: {nearest(unknown[1], _arguments(cls))}"
    return f"{cfg.filename}: {where}{type(error).__name__}: {said}"


def _innermost(error: Exception) -> tuple[str, Any, Any, Registry | None]:
    """What mmengine was building when the error came up: its type, its config, its class and the registry."""
    found, trace = ("", None, None, None), error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_code.co_name in ("build_from_cfg", "build_scheduler_from_cfg"):
            values = frame.f_locals
            kind = values.get("obj_type") or values.get("scheduler_type") or ""
            cls = values.get("obj_cls") or values.get("scheduler_cls")
            found = getattr(kind, "__name__", str(kind)), values.get("cfg"), cls, values["registry"]
        trace = trace.tb_next
    return found


def _places(node: Any, kind: str, place: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of a config at which something of a type stands, and what stands there."""
    if isinstance(node, Mapping):
        if str(node.get("type", "")).rpartition(".")[2] == kind.rpartition(".")[2]:
            yield place, node
        items = node.items()
    elif isinstance(node, list | tuple):
        items = enumerate(node)
    else:
        return
    for key, value in items:
        yield from _places(value, kind, f"{place}.{key}" if place else str(key))


def _arguments(cls: type) -> list[str]:
    names = {
        name: None
        for base in cls.__mro__
        if "__init__" in vars(base) and base is not object
        for name, one in inspect.signature(base.__init__).parameters.items()
        if name != "self" and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    }
    return list(names)
