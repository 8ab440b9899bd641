"""Several processes, also without an accelerator: mmengine's launcher and model wrapper ask CUDA for a device."""

import torch
from mmengine.config import Config
from mmengine.dist import init_dist, is_distributed
from mmengine.utils.dl_utils import set_multi_processing
from torch import distributed


def prepare(cfg: Config) -> None:
    """Start the process group before there is a runner; over gloo, and the model wrapper off CUDA, where there is none.

    Args:
        cfg: its ``launcher`` is set; the wrapper's config is changed in place.
    """
    if torch.cuda.is_available():
        if not is_distributed():  # as a runner does
            env = cfg.get("env_cfg") or {}
            set_multi_processing(**env.get("mp_cfg", {}), distributed=True)
            init_dist(cfg.launcher, **env.get("dist_cfg", dict(backend="nccl")))
        return
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")  # mmengine leaves a group alone that it finds
    cfg.model_wrapper_cfg = dict(type="MMDistributedDataParallel", device_ids=None, broadcast_buffers=False)
