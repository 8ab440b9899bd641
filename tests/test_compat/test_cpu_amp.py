import copy

import pytest
import torch
from torch import nn

from lwdna_mm.compat.cpu_amp import CpuAmpOptimWrapper


def trained(conv: nn.Module, x: torch.Tensor, amp: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The output, and the gradients of input and weight."""
    x = x.clone().requires_grad_()
    conv.zero_grad()
    if amp:
        optimizer = torch.optim.SGD(conv.parameters(), lr=0.1)
        with CpuAmpOptimWrapper(optimizer).optim_context(conv):
            y = conv(x)
    else:
        y = conv(x)
    seen = y.to(torch.promote_types(y.dtype, torch.float32))
    (seen * seen.detach().bfloat16()).sum().backward()
    return y.detach(), x.grad, conv.weight.grad.clone()


DEPTHWISE = dict(kernel_size=3, padding=1, groups=8)


@pytest.mark.parametrize(
    ("conv", "side", "float32"),
    [
        (nn.Conv2d(8, 8, stride=2, **DEPTHWISE), 8, True),
        (nn.Conv2d(8, 8, stride=(1, 2), bias=False, **DEPTHWISE), 8, True),
        (nn.Conv2d(8, 16, **DEPTHWISE), 2, True),
        (nn.Conv2d(8, 8, **DEPTHWISE), 8, False),
        (nn.Conv2d(8, 8, 3, stride=2), 8, False),
        (nn.Conv2d(8, 8, 3, stride=2, groups=4), 8, False),
    ],
)
def test_only_slow_convolutions_are_computed_in_float32(conv, side, float32):
    torch.manual_seed(0)
    x = torch.randn(2, 8, side, side)
    (y, *gradients), (exact, *exact_gradients) = trained(conv, x, amp=True), trained(conv, x, amp=False)
    assert y.dtype == torch.bfloat16
    # float32 inside, rounded once at the end; or the product of rounded inputs.
    assert torch.equal(y, exact.bfloat16()) == float32
    for gradient, expected in zip(gradients, exact_gradients, strict=True):
        assert gradient.dtype == torch.float32
        assert (gradient - expected).norm() < 0.02 * expected.norm()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(8, 16, 3, padding=1), (2, 8, 6, 6)),
        (nn.Conv2d(8, 8, bias=False, **DEPTHWISE), (2, 8, 6, 6)),
        (nn.ConvTranspose2d(8, 4, 2, stride=2), (2, 8, 5, 5)),
        (nn.Linear(64, 10), (32, 64)),
    ],
)
def test_a_processor_without_bfloat16_rounds_what_goes_in_and_what_comes_out(layer, shape, monkeypatch):
    monkeypatch.setattr("lwdna_mm.compat.cpu_amp.NATIVE", False)
    torch.manual_seed(0)
    x = torch.randn(shape)
    exact = copy.deepcopy(layer)
    with torch.no_grad():
        for parameter in exact.parameters():
            parameter.copy_(parameter.bfloat16())
    for value, expected in zip(
        trained(layer, x, True), trained(exact.double(), x.bfloat16().double(), False), strict=True
    ):
        same = value.double() == expected.bfloat16().double()
        assert same.double().mean() > 0.99  # but for sums that lie at the border between two values
