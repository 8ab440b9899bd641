import copy
import itertools
import math

import pytest
import torch
from torch import nn

from lwdna_mm.channels import analyze, resize
from lwdna_mm.errors import UserError
from lwdna_mm.shrink import GradientCriterion, LatentHypernet, LatentMagnitudeCriterion, search

from .nets import BACKBONES, classifier, images


class Up(nn.Module):
    """A transposed convolution, and a group that only linear layers join."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.hidden = nn.Linear(4, 5)
        self.out = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.up(torch.relu(self.stem(x)))).mean((2, 3))
        return self.out(torch.relu(self.hidden(x)))


def parametrized(model: nn.Module) -> dict[str, nn.Module]:
    return {
        f"{name}.{attribute}": parametrizations[0]
        for name, module in model.named_modules()
        if hasattr(module, "parametrizations")
        for attribute, parametrizations in module.parametrizations.items()
    }


@pytest.mark.parametrize("name", BACKBONES)
def test_latents_of_every_convolution_are_those_of_the_groups_that_it_joins(name):
    model = classifier(name)
    graph = analyze(model, images()[:1])
    convolutions = {f"{key}.weight" for key, module in model.named_modules() if isinstance(module, nn.Conv2d)}
    latents = LatentHypernet(embedding_dim=2).attach(model, graph)
    assert list(latents) == list(graph.free)
    generators = parametrized(model)
    assert set(generators) == convolutions
    for group in graph.free.values():
        for param, dim in group.members:
            if param in generators:
                shared = list(getattr(generators[param], f"latents{dim}"))[1:]
                assert any(one is latents[group.name] for one in shared)
    stem = generators[next(iter(generators))]
    assert [len(one) for one in stem.latents1] == [3]  # the image's channels


def test_weight_is_what_the_formula_says_value_by_value():
    model = Up().double()
    graph = analyze(model, torch.rand(1, 3, 4, 4, dtype=torch.float64))
    latents = LatentHypernet(embedding_dim=3, seed=1).attach(model, graph)
    generator = parametrized(model)["up.weight"]
    for bias in (generator.b0, generator.b1, generator.b2):
        nn.init.normal_(bias)
    weight = model.up.weight
    assert weight.shape == (6, 4, 2, 2)
    z_in, z_out = latents["stem"], latents["up"]
    for a, b, y, x in itertools.product(*map(range, weight.shape)):
        tap = 2 * y + x
        scale = z_in[a] * z_out[b] + generator.b0[a, b]
        embedding = [scale * generator.w1[a, b, e] + generator.b1[a, b, e] for e in range(3)]
        expected = sum(generator.w2[a, b, tap, e] * embedding[e] for e in range(3)) + generator.b2[a, b, tap]
        torch.testing.assert_close(weight[a, b, y, x], expected)


def test_groups_without_a_convolution_have_generated_linear_weights():
    model = Up()
    graph = analyze(model, torch.rand(1, 3, 4, 4))
    LatentHypernet().attach(model, graph)
    # "hidden" reads a group of convolutions; its own outputs and out's inputs are a group of linear layers.
    assert set(parametrized(model)) == {"stem.weight", "up.weight", "hidden.weight", "out.weight"}


@pytest.mark.parametrize("embedding_dim", [2, 8])
def test_variance_at_the_start_is_one_over_the_fan_in(embedding_dim):
    model = nn.Sequential(
        nn.Conv2d(3, 96, 3), nn.Conv2d(96, 128, 3), nn.ConvTranspose2d(128, 64, 3), nn.Conv2d(64, 2, 1)
    )
    graph = analyze(model, torch.rand(1, 3, 8, 8))
    latents = LatentHypernet(embedding_dim).attach(model, graph)
    power = {name: latent.square().mean().item() for name, latent in latents.items()}  # 1 but for the draw
    assert all(0.5 < one < 1.5 for one in power.values())
    assert model[1].weight.var().item() == pytest.approx(power["0"] * power["1"] / (96 * 9), rel=0.05)
    assert model[2].weight.var().item() == pytest.approx(power["1"] * power["2"] / (128 * 9), rel=0.05)


@pytest.mark.parametrize("name", ["ResNet-18", "MobileNetV2", "RegNetX"])
def test_removal_leaves_an_ordinary_network_of_the_generated_weights(name):
    model = classifier(name).eval()
    before = copy.deepcopy(model)
    graph = analyze(model, images()[:1])
    latents = LatentHypernet(embedding_dim=2).attach(model, graph)
    assert model.get_parameter("head.fc.weight").requires_grad
    with torch.no_grad():
        generated = model(images())
    latents.remove()
    assert [type(module) for module in model.modules()] == [type(module) for module in before.modules()]
    assert [key for key, _ in model.named_parameters()] == [key for key, _ in before.named_parameters()]
    assert all(parameter.requires_grad for parameter in model.parameters())
    with torch.no_grad():
        assert torch.equal(model(images()), generated)
        assert not torch.allclose(before(images()), generated)
    plan = search(graph, magnitudes(latents), 0.5 * graph.flops())
    assert resize(model, graph, plan)(images()).shape == (8, 10)


def magnitudes(latents):
    return {name: latent.detach().abs() for name, latent in latents.items()}


def test_a_latent_of_zero_at_the_start_is_a_channel_without_weights():
    model = classifier("ResNet-18")
    graph = analyze(model, images()[:1])
    latents = LatentHypernet(embedding_dim=2).attach(model, graph)
    name = "backbone.layer1.0.conv1"
    with torch.no_grad():
        latents[name][3] = 0
    assert not model.backbone.layer1[0].conv1.weight[3].any()
    assert not model.backbone.layer1[0].conv2.weight[:, 3].any()
    assert model.backbone.layer1[0].conv2.weight[:, 2].all()


def test_training_moves_latents_and_hypernetworks_and_lowers_the_loss():
    model = classifier("ResNet-CIFAR")
    graph = analyze(model, images()[:1])
    latents = LatentHypernet(embedding_dim=2).attach(model, graph)
    known = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    assert {id(parameter) for parameter in latents.trained} <= known
    start = {name: latent.detach().clone() for name, latent in latents.items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.02, momentum=0.9)
    losses = []
    for _ in range(8):
        loss = nn.functional.cross_entropy(model(images()), torch.arange(8))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    assert all(not torch.equal(start[name], latent) for name, latent in latents.items())


def test_gradient_of_a_latent_is_the_slope_of_the_loss():
    model = classifier("MobileNetV2").eval()
    graph = analyze(model, images()[:1])
    latents = LatentHypernet(embedding_dim=2).attach(model, graph)
    model(images()).square().mean().backward()
    criterion = GradientCriterion()
    name = list(latents)[5]
    slope = latents[name].grad[1].item()
    criterion.observe(latents)
    assert criterion.scores(graph)[name][1].item() == pytest.approx(abs(slope))
    values = []
    for step in (1e-6, -1e-6):
        with torch.no_grad():
            latents[name][1] += step
            values.append(model(images()).square().mean().item())
            latents[name][1] -= step
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope, rel=1e-4)


def test_magnitudes_are_the_latents_own():
    model = classifier("ResNet-CIFAR")
    graph = analyze(model, images()[:1])
    latents = LatentHypernet(embedding_dim=2).attach(model, graph)
    model(images()).square().mean().backward()
    criterion = LatentMagnitudeCriterion()
    criterion.observe(latents)
    for name, score in criterion.scores(graph).items():
        torch.testing.assert_close(score, latents[name].detach().abs().double())


def test_draws_depend_on_the_seed_alone():
    weights = []
    for seed in (0, 0, 1):
        model = classifier("ResNet-CIFAR")
        LatentHypernet(embedding_dim=2, seed=seed).attach(model, analyze(model, images()[:1]))
        weights.append(model.backbone.layer1[0].conv1.weight.detach())
    assert torch.equal(weights[0], weights[1])
    assert not torch.allclose(weights[0], weights[2])
    assert math.isfinite(weights[0].sum())


@pytest.mark.parametrize("value", [0, 1.5, "2"])
def test_refuses_an_embedding_that_is_none(value):
    with pytest.raises(UserError, match="embedding_dim"):
        LatentHypernet(embedding_dim=value)


def test_refuses_a_second_hypernetwork():
    model = classifier("ResNet-CIFAR")
    graph = analyze(model, images()[:1])
    LatentHypernet(embedding_dim=2).attach(model, graph)
    with pytest.raises(UserError, match="attach gates only once"):
        LatentHypernet(embedding_dim=2).attach(model, graph)
