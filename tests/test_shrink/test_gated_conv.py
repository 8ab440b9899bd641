import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lwdna_mm.shrink import GatedConv2d, GatedLinear
from lwdna_mm.shrink import gated_conv as module
from lwdna_mm.shrink.gated_conv import gate_product

LAYERS = {
    "conv": lambda: GatedConv2d(6, 8, 3, padding=1),
    "grouped": lambda: GatedConv2d(6, 8, 3, padding=1, groups=2, bias=False),
    "depthwise": lambda: GatedConv2d(6, 12, 3, stride=2, padding=1, groups=6, padding_mode="reflect"),
    "linear": lambda: GatedLinear(6, 8),
}


def build(name: str) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    shape = (4, 6) if name == "linear" else (4, 6, 7, 7)
    return LAYERS[name]().double(), torch.randn(shape, dtype=torch.float64)


def by_activations(layer: nn.Module, x: torch.Tensor, z_in: torch.Tensor, z_out: torch.Tensor) -> torch.Tensor:
    """The independent oracle: the ungated layer between scaled activations."""
    x = x * z_in.view(-1, *[1] * (x.dim() - 2))
    if isinstance(layer, nn.Linear):
        return F.linear(x, layer.weight, layer.bias) * z_out
    return nn.Conv2d._conv_forward(layer, x, layer.weight, layer.bias) * z_out[:, None, None]


@pytest.mark.parametrize("gates", ["ones", "random"])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("piece", [1, 200, 1 << 16])
def test_outputs_and_gradients_equal_those_of_scaled_activations(monkeypatch, name, gates, piece):
    monkeypatch.setattr(module, "PIECE", piece)
    layer, x = build(name)
    if gates == "random":
        nn.init.uniform_(layer.z_in)
        nn.init.uniform_(layer.z_out)
    z_in, z_out = layer.z_in.detach().requires_grad_(), layer.z_out.detach().requires_grad_()
    assert len(z_in) == 6
    shared = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
    y, expected = layer(x), by_activations(layer, x, z_in, z_out)
    torch.testing.assert_close(y, expected)
    weights = torch.randn_like(y)
    grads = torch.autograd.grad((y * weights).sum(), [layer.z_in, layer.z_out, *shared])
    torch.testing.assert_close(grads, torch.autograd.grad((expected * weights).sum(), [z_in, z_out, *shared]))


@pytest.mark.parametrize("name", ["conv", "linear"])
def test_zero_gates_are_removed_channels(name):
    layer, x = build(name)
    with torch.no_grad():
        layer.z_in[[1, 4]] = 0
        layer.z_out[[0, 5]] = 0
        y = layer(x)
        inside, outside = [0, 2, 3, 5], [1, 2, 3, 4, 6, 7]
        weight, bias = layer.weight[outside][:, inside], layer.bias[outside]
        convolve = F.linear if name == "linear" else (lambda *args: F.conv2d(*args, padding=1))
        torch.testing.assert_close(y[:, outside], convolve(x[:, inside], weight, bias))
        assert y[:, [0, 5]].abs().max() == 0


def test_a_zero_input_gate_of_a_grouped_convolution_silences_that_channel_alone():
    layer, x = build("grouped")
    with torch.no_grad():
        layer.z_in[4] = 0  # the second channel of the second conv-group
        x_silent = x.clone()
        x_silent[:, 4] = 0
        torch.testing.assert_close(layer(x), F.conv2d(x_silent, layer.weight, padding=1, groups=2))


def test_forward_is_the_weight_itself_while_gates_are_one():
    weight = torch.randn(4, 3, requires_grad=True)
    gate = torch.ones(1, 3, requires_grad=True)
    product = gate_product(weight, (gate,))
    assert product.data_ptr() == weight.data_ptr()
    with torch.no_grad():
        gate[0, 1] = 2
    assert torch.equal(gate_product(weight, (gate,)), weight * gate)


def test_backward_hands_the_gradient_on_without_a_copy(monkeypatch):
    seen = []
    summed = module._summed_product
    monkeypatch.setattr(module, "_summed_product", lambda w, g, s: (seen.append(g.data_ptr()), summed(w, g, s))[1])
    layer, x = build("conv")
    layer(x).sum().backward()
    assert seen == [layer.weight.grad.data_ptr()] * 2


def test_no_gradient_is_computed_for_frozen_gates():
    layer, x = build("conv")
    layer.z_in.requires_grad_(False)
    layer(x).sum().backward()
    assert layer.z_in.grad is None
    assert layer.z_out.grad is not None
