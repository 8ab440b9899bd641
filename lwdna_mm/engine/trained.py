"""From a config and a checkpoint to the trained network, resized as the checkpoint's plan says."""

from pathlib import Path

from mmengine.config import Config
from torch import nn

from .checkpoint import check_fits, load_checkpoint_file
from .protocol import build_model


def load_trained(cfg: Config, checkpoint: str | Path, plan: str | Path | None = None) -> nn.Module:
    """The network of a config with trained weights.

    Args:
        cfg: from :func:`~.config.load_config`; its model is changed in place.
        checkpoint: weights of the config's network, or of that network resized to a plan.
        plan: that plan; by default the one in the checkpoint.

    Raises:
        UserError: the config, the plan or the checkpoint cannot be used, or the one is not of the other.
    """
    loaded = load_checkpoint_file(checkpoint)
    apply_plan(cfg, loaded, plan)
    model = build_model(cfg)
    check_fits(loaded["state_dict"], checkpoint, model.state_dict())
    model.load_state_dict(loaded["state_dict"])
    return model


def apply_plan(cfg: Config, loaded: dict, plan: str | Path | None = None) -> None:
    """Let the model of a config, in place, be the one whose weights a loaded checkpoint has."""
    plan = plan or loaded.get("meta", {}).get("lwdna_plan")
    if plan is not None and not str(cfg.model.type).endswith("LWDNA"):  # such a config has its plan
        cfg.model = resized_model(cfg, plan)


def resized_model(cfg: Config, plan: str | Path | dict) -> dict:
    """The config of ``cfg``'s model, resized to a plan."""
    return dict(type="lwdna_mm.LWDNA", model=cfg.model, plan=plan)
