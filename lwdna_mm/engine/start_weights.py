"""The weights that a training begins with: those beside its plan, and what a config may not begin with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from ..runs.plan_file import weights_path
from .types import type_name

# Arguments by which networks load weights as they are built.
BUILT_FROM = ("pretrained", "checkpoint_path")


def refuse_pretrained(cfg: Config) -> None:
    """Raise UserError where a config asks for weights of the baseline: by ``load_from``, by an ``init_cfg``, or by an
    argument such as timm's ``pretrained``."""
    source = cfg.get("load_from") or _pretrained(cfg.model)
    if source:
        raise UserError(
            f"pretrained weights ({source}) of the baseline do not fit a network of other widths: "
            f"train both without load_from, without an init_cfg of type Pretrained "
            f"and without {' or '.join(BUILT_FROM)}"
        )


def _pretrained(model: Any) -> str | None:
    """The first checkpoint that a model's config is to be initialised from; a loss may have a network of its own."""
    if isinstance(model, Mapping):
        if type_name(model.get("type")) in ("Pretrained", "PretrainedInit"):
            return str(model.get("checkpoint"))
        named = next((key for key in BUILT_FROM if model.get(key)), None)
        if named is not None:
            return f"{named}={model[named]!r}"
        model = [value for key, value in model.items() if "loss" not in str(key)]
    elif not isinstance(model, (list, tuple)):
        return None
    return next(filter(None, map(_pretrained, model)), None)


def refuse_own_weights(cfg: Config, plan: str) -> None:
    """Raise UserError where a config begins from weights that a run begun anew in its folder takes away.

    So does the config that a run has left. ``plan`` is the name of the plan in the work_dir.
    """
    source, weights = cfg.get("load_from"), Path(cfg.work_dir, weights_path(plan))
    if source and Path(source).resolve() == weights.resolve():
        raise UserError(
            f"{cfg.filename}: load_from is {source}, which a run begun anew in {cfg.work_dir} takes away: "
            "give another --work-dir, or --resume"
        )


def weights_of(plan: Path) -> Path:
    """The file of weights beside a plan; UserError if there is none."""
    path = weights_path(plan)
    if not path.is_file():
        raise UserError(f"{path}: no weights beside the plan to inherit; give --cfg-options lwdna.init=fresh")
    return path
