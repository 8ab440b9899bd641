"""resize(inherit=False) draws what can be drawn anew."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from lwdna_mm.channels import ChannelPlan, analyze, resize
from lwdna_mm.channels.attributes import initialize

TRAINED = 7.0


def trained(model: nn.Module) -> nn.Module:
    """The model with all parameters at a value that nothing draws."""
    for parameter in model.parameters():
        nn.init.constant_(parameter, TRAINED)
    return model


def kept(model: nn.Module) -> list[str]:
    """The parameters that nothing has drawn."""
    return [name for name, parameter in model.named_parameters() if bool((parameter == TRAINED).any())]


def test_attention_draws_its_projections() -> None:
    model = trained(nn.Sequential(nn.Linear(8, 8), nn.MultiheadAttention(8, 2)))
    initialize(model, dict(model.named_parameters()))
    assert kept(model) == []
    assert not model[1].out_proj.bias.any()  # as the attention wants it, not as a linear layer does


def test_a_layer_has_the_last_word_on_what_is_in_it() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)

        def reset_parameters(self) -> None:
            nn.init.zeros_(self.outer.weight)

        def forward(self, x: Tensor) -> Tensor:
            return self.outer(self.inner(x))

    model = trained(nn.Sequential(Block()))
    fresh = resize(model, analyze(model, torch.rand(1, 3, 4, 4)), ChannelPlan({"0.inner": 4}), inherit=False)
    assert kept(fresh) == []
    assert not fresh[0].outer.weight.any()


def test_layers_draw_in_their_order() -> None:
    model, other = (nn.Sequential(nn.Sequential(nn.Linear(3, 8)), nn.Linear(8, 2)) for _ in range(2))
    torch.manual_seed(0)
    initialize(model, dict(model.named_parameters()))
    torch.manual_seed(0)
    other[0][0].reset_parameters()
    other[1].reset_parameters()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_computed_weights_are_drawn_through_their_inverse() -> None:
    model = nn.Sequential(*(wrap(nn.Conv2d(3, 8, 1)) for wrap in (parametrizations.weight_norm, spectral)))
    initialize(trained(model), dict(model.named_parameters()))
    assert kept(model) == []
    bound = 3**-0.5  # of a convolution's weights
    assert model[0].weight.abs().max() <= bound
    assert model[1].parametrizations.weight.original.abs().max() <= bound


def spectral(layer: nn.Module) -> nn.Module:
    return parametrizations.spectral_norm(layer.eval())


def test_a_weight_without_an_inverse_stays() -> None:
    class Squared(nn.Module):
        def forward(self, weight: Tensor) -> Tensor:
            return weight**2

    model = nn.Linear(3, 8)
    parametrize.register_parametrization(model, "weight", Squared())
    initialize(trained(model), dict(model.named_parameters()))
    assert kept(model) == ["parametrizations.weight.original"]


def test_what_the_traced_pass_does_not_use_keeps_its_values() -> None:
    class WithTeacher(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.outer, self.teacher = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1), nn.Conv2d(3, 2, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.outer(self.inner(x))

    model = trained(WithTeacher())
    fresh = resize(model, analyze(model, torch.rand(1, 3, 4, 4)), ChannelPlan({"inner": 4}), inherit=False)
    assert kept(fresh) == ["teacher.weight", "teacher.bias"]
