"""From a config and a checkpoint to the trained network, resized as the checkpoint's plan says."""

from pathlib import Path

from mmengine.config import Config
from torch import nn

from ..engine.planned import apply_plan, naming_plan
from ..engine.protocol import build_model
from ..runs.checkpoint_file import check_fits, load_checkpoint_file


def load_trained(cfg: Config, checkpoint: str | Path, plan: str | Path | None = None) -> nn.Module:
    """The network of a config with trained weights.

    Args:
        cfg: from :func:`lwdna_mm.engine.load_config`; its model is changed in place.
        checkpoint: weights of the config's network, or of that network resized to a plan.
        plan: that plan; by default the one in the checkpoint.

    Raises:
        UserError: the config, the plan or the checkpoint cannot be used, or the one is not of the other.
    """
    loaded = load_checkpoint_file(checkpoint)
    apply_plan(cfg, loaded, plan)
    with naming_plan(plan or checkpoint):
        model = build_model(cfg)
    check_fits(loaded["state_dict"], checkpoint, model.state_dict())
    model.load_state_dict(loaded["state_dict"])
    return model
