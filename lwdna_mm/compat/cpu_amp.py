"""Mixed precision where there is no accelerator: mmengine's AmpOptimWrapper asserts that there is one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..registry import OPTIM_WRAPPERS

NATIVE = torch.ops.mkldnn._is_mkldnn_bf16_supported()
PRODUCTS = (torch.conv1d, torch.conv2d, torch.conv3d, torch.conv_transpose2d, nn.functional.linear)


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """An OptimWrapper whose forward pass runs under bfloat16 autocast on the CPU.

    bfloat16 has float32's exponents, so no loss scaling is needed. A processor without bfloat16 computes the products
    of what is rounded to it in float32, as one with bfloat16 accumulates them, and rounds the result.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Enter autocast around the forward pass of a training step."""
        with super().optim_context(model), torch.autocast("cpu", dtype=torch.bfloat16), _InFloat32(NATIVE):
            yield


class _InFloat32(TorchFunctionMode):
    """Computes in float32 what takes many times as long in bfloat16, and hands on bfloat16.

    Without bfloat16 in the processor that is every convolution and linear layer: torch's own took 10 s for a training
    step of MobileNetV1, float32 0.8 (128 images of 64x64, a busy core of an AMD EPYC without AVX-512). With bfloat16
    it is some depthwise convolutions: with a stride the input's gradient takes 50 ms instead of 3 (128 images, 32
    channels of 32x32, one core of an AMD EPYC with avx512_bf16), on images smaller than the kernel the weight's 18
    instead of 4. They made up three quarters of a MobileNetV1's training step.

    Args:
        native: whether the processor has bfloat16.
    """

    def __init__(self, native: bool) -> None:
        super().__init__()
        self.native = native

    def __torch_function__(self, func: Any, types: Any, args: Sequence = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.conv2d and _is_slow(*args, **kwargs):
            convert = _float
        elif func in PRODUCTS and not self.native:
            convert = _rounded
        else:
            return func(*args, **kwargs)
        with torch.autocast("cpu", enabled=False):
            return func(*map(convert, args), **{key: convert(value) for key, value in kwargs.items()}).bfloat16()


def _is_slow(
    input: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups=1
) -> bool:
    if groups == 1 or groups != input.shape[1]:
        return False
    strided = max(stride) > 1 if isinstance(stride, Sequence) else stride > 1
    return strided or any(side < kernel for side, kernel in zip(input.shape[2:], weight.shape[2:], strict=True))


def _float(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) else value


def _rounded(value: Any) -> Any:
    return value.bfloat16().float() if isinstance(value, Tensor) else value
