"""Configs of networks that have been resized to a plan."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from ..models.builders import as_plan
from .types import type_name


def apply_plan(cfg: Config, loaded: dict, plan: str | Path | None = None) -> None:
    """Let the model of a config, in place, be the one whose weights a loaded checkpoint has."""
    plan = plan or loaded.get("meta", {}).get("lwdna_plan")
    if plan is not None and not _is_resized(cfg):  # such a config has its plan
        cfg.model = resized_model(cfg, plan)


def own_plan(cfg: Config) -> dict[str, Any] | None:
    """The content of the plan that a config's own model is resized to, with the inputs that it is traced with.

    None for any other model.

    Raises:
        UserError: the plan is not there, or is none.
    """
    if not _is_resized(cfg) or cfg.model.get("plan") is None:
        return None
    plan = as_plan(cfg.model.plan)
    shape = cfg.model.get("input_shape")
    inputs = {} if shape is None else dict(input_shape=shape)
    return json.loads(json.dumps({**plan.meta, **inputs, "widths": plan.widths}))  # plain, without mmengine's types


def _is_resized(cfg: Config) -> bool:
    return type_name(cfg.model.type) == "LWDNA"


@contextmanager
def naming_plan(plan: str | Path | None) -> Iterator[None]:
    """Let errors name the file of the plan whose network is built; None where there is no plan."""
    try:
        yield
    except UserError as error:
        if plan is None or str(plan) in str(error):
            raise
        raise UserError(f"{plan}: {error}") from error


def resized_model(cfg: Config, plan: str | Path | dict) -> dict:
    """The config of ``cfg``'s model, resized to a plan."""
    return dict(type="lwdna_mm.LWDNA", model=cfg.model, plan=plan)
