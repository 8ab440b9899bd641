"""Mixed precision where there is no accelerator: mmengine's AmpOptimWrapper asserts that there is one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from ..registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """An OptimWrapper whose forward pass runs under bfloat16 autocast on the CPU.

    bfloat16 has float32's exponents, so no loss scaling is needed.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast around the forward pass of a training step."""
        with super().optim_context(model), torch.autocast("cpu", dtype=torch.bfloat16):
            yield
