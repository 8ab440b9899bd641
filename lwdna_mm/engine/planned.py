"""Configs of networks that have been resized to a plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from ..errors import UserError


def apply_plan(cfg: Config, loaded: dict, plan: str | Path | None = None) -> None:
    """Let the model of a config, in place, be the one whose weights a loaded checkpoint has."""
    plan = plan or loaded.get("meta", {}).get("lwdna_plan")
    if plan is not None and not str(cfg.model.type).endswith("LWDNA"):  # such a config has its plan
        cfg.model = resized_model(cfg, plan)


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
