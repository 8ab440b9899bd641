"""Several processes without an accelerator: mmengine's launcher and model wrapper ask CUDA for a device."""

import torch
from mmengine.config import Config
from torch import distributed


def prepare(cfg: Config) -> None:
    """Start the process group over gloo and keep the model wrapper off CUDA, where there is none.

    Args:
        cfg: its ``launcher`` is set; the wrapper's config is changed in place.
    """
    if torch.cuda.is_available():
        return
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")  # mmengine leaves a group alone that it finds
    cfg.model_wrapper_cfg = dict(type="MMDistributedDataParallel", device_ids=None, broadcast_buffers=False)
