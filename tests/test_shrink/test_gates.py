import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lwdna_mm.channels import ChannelPlan, analyze, resize
from lwdna_mm.errors import UserError
from lwdna_mm.shrink import RandomCriterion, attach_gates, search

from .nets import BACKBONES, classifier, images


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def loss_of(model: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    return model(inputs).square().mean()


class Tied(nn.Module):
    """One weight shared by two layers, one layer used twice, a plain parameter and a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.twice = nn.Conv2d(6, 6, 3, padding=1)
        self.one = nn.Conv2d(6, 6, 1)
        self.other = nn.Conv2d(6, 6, 1)
        self.other.weight = self.one.weight
        self.scale = nn.Parameter(torch.rand(1, 6, 1, 1))
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.last = nn.Conv2d(4, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.twice(torch.relu(self.twice(torch.relu(self.stem(x)))))
        x = self.other(torch.tanh(self.one(x))) * self.scale
        return self.last(torch.relu(self.up(x)))


@pytest.mark.parametrize("name", BACKBONES)
def test_gate_gradient_is_the_sum_of_weight_times_gradient(name):
    model = classifier(name)
    graph = analyze(model, images())
    model.train()
    loss_of(model, images()).backward()
    products = {key: (p * p.grad).detach() for key, p in model.named_parameters()}
    model.zero_grad()

    gates = attach_gates(model, graph)
    loss_of(model, images()).backward()
    assert list(gates) == list(graph.free)
    for group in graph.free.values():
        assert group.gated
        expected = torch.zeros(group.width, dtype=torch.float64)
        for param, dim in group.gated:
            for i, positions in enumerate(group.members[param, dim]):
                for position in positions:
                    expected[i] += products[param].select(dim, position).sum()
        scale = expected.abs().max()
        assert scale > 0
        torch.testing.assert_close(gates[group.name].grad / scale, expected / scale, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", BACKBONES)
def test_zeroed_channels_are_removed_channels(name):
    model = classifier(name)
    graph = analyze(model, images())
    plan = search(graph, RandomCriterion().scores(graph), 0.6 * graph.flops())
    small = resize(model, graph, plan).eval()
    gates = attach_gates(model.eval(), graph)
    with torch.no_grad():
        whole = model(images())
        for group, kept in plan.kept.items():
            gates[group].zero_()
            gates[group][kept] = 1
        masked = model(images())
        removed = small(images())
    assert (masked - whole).abs().max() > 1e-2 * whole.abs().max()
    torch.testing.assert_close(masked, removed, rtol=0, atol=1e-9 * whole.abs().max().item())


def test_gradient_equals_that_of_scaled_activations():
    """The independent oracle: a gate on a consumer's input is a scale on the activation it reads."""
    first, norm, second = nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Conv2d(5, 4, 3)
    model = nn.Sequential(first, norm, nn.ReLU(), second).double()
    inputs = torch.rand(4, 3, 9, 9, dtype=torch.float64)
    gates = attach_gates(model, analyze(model, inputs))
    values = torch.rand(5, dtype=torch.float64)
    for gate in (torch.ones_like(values), values):
        scale = gate.clone().requires_grad_()
        loss = second(torch.relu(norm(first(inputs))) * scale[:, None, None]).square().mean()
        (expected,) = torch.autograd.grad(loss, scale)
        with torch.no_grad():
            gates["0"].copy_(gate)
        (grad,) = torch.autograd.grad(loss_of(model, inputs), gates["0"])
        torch.testing.assert_close(grad, expected)


def test_gates_leave_training_as_it_is():
    plain = classifier("ResNet-CIFAR")
    gated = copy.deepcopy(plain)
    graph = analyze(gated, images())
    losses = []
    for model in (plain, gated):
        model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
        if model is gated:
            attach_gates(model, graph)
        losses.append([])
        for _ in range(3):
            optimizer.zero_grad()
            loss = loss_of(model, images())
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    assert losses[0] == losses[1]
    assert losses[0][0] != losses[0][2]


def test_remove_restores_everything():
    model = Tied()
    inputs = torch.rand(2, 3, 8, 8)
    graph = analyze(model, inputs)
    classes = [type(module) for module in model.modules()]
    names = [name for name, _ in model.named_modules()]
    parameters = dict(model.named_parameters(remove_duplicate=False))
    keys = list(model.state_dict())
    expected = model(inputs)

    gates = attach_gates(model, graph)
    assert list(model.state_dict()) != keys
    assert not any(gate is p for gate in gates.values() for p in model.parameters())
    twin = copy.deepcopy(model)
    gates.remove()

    assert [type(module) for module in model.modules()] == classes
    assert [name for name, _ in model.named_modules()] == names
    restored = dict(model.named_parameters(remove_duplicate=False))
    assert list(restored) == list(parameters)
    assert all(restored[name] is parameter for name, parameter in parameters.items())
    assert list(model.state_dict()) == keys
    assert torch.equal(model(inputs), expected)
    assert torch.equal(twin(inputs), expected)


def test_tied_shared_and_plain_parameters():
    model = Tied().double()
    inputs = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    graph = analyze(model, inputs)
    gates = attach_gates(model, graph)
    plan = search(graph, RandomCriterion(1).scores(graph), 0.5 * graph.flops())
    with torch.no_grad():
        for name, kept in plan.kept.items():
            gates[name].zero_()
            gates[name][kept] = 1
    masked = model(inputs)
    gates.remove()
    torch.testing.assert_close(masked, resize(model, graph, plan)(inputs))


class Correlate(nn.Module):
    """An embedding shared by two inputs, and their cross-correlation, which sums over its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 5, 3)
        self.last = nn.Conv2d(5, 6, 3, bias=False)
        self.norm = nn.BatchNorm2d(6)

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.last(torch.relu(self.first(x))))

    def forward(self, exemplar: torch.Tensor, search: torch.Tensor) -> torch.Tensor:
        return F.conv2d(self.embed(search), self.embed(exemplar))


def test_channels_that_only_a_cross_correlation_reads_are_gated_where_they_are_written():
    model = Correlate().double().eval()
    nn.init.uniform_(model.norm.bias)
    inputs = torch.rand(1, 3, 8, 8, dtype=torch.float64), torch.rand(1, 3, 12, 12, dtype=torch.float64)
    graph = analyze(model, inputs)
    group = graph.free["last"]
    assert set(group.gated) == {("norm.weight", 0), ("norm.bias", 0)}
    gates = attach_gates(model, graph)
    model(*inputs).square().mean().backward()
    norm = {name: p for name, p in model.norm.named_parameters() if name.endswith("original")}
    assert len(norm) == 2
    torch.testing.assert_close(gates["last"].grad, sum(p * p.grad for p in norm.values()))
    with torch.no_grad():
        gates["last"][[1, 4]] = 0
    masked = model(*inputs)
    gates.remove()
    small = resize(model, graph, ChannelPlan({"last": [0, 2, 3, 5]}))
    torch.testing.assert_close(masked, small(*inputs))


def test_mixed_precision():
    model = classifier("ResNet-CIFAR").float()
    graph = analyze(model, images().float())
    gates = attach_gates(model.train(), graph)
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(model, images().float())
    loss.backward()
    weight = model.backbone.layer4[1].conv2.parametrizations.weight.original
    gate = gates["backbone.layer4.1.conv1"]
    assert weight.dtype == gate.grad.dtype == torch.float32
    torch.testing.assert_close(gate.grad, (weight * weight.grad).sum((0, 2, 3)), rtol=1e-4, atol=1e-7)


def test_deep_copies_have_gates_of_their_own():
    model = Tied()
    inputs = torch.rand(2, 3, 8, 8)
    gates = attach_gates(model, analyze(model, inputs))
    twin, twin_gates = copy.deepcopy((model, gates))
    expected = model(inputs)
    with torch.no_grad():
        for gate in twin_gates.values():
            gate.zero_()
    assert torch.equal(model(inputs), expected)
    assert not torch.equal(twin(inputs), expected)
    gates.remove()
    twin_gates.remove()
    assert torch.equal(twin(inputs), expected)


def test_gates_follow_the_model_to_another_dtype():
    model = Tied()
    inputs = torch.rand(2, 3, 8, 8)
    gates = attach_gates(model, analyze(model, inputs))
    model.double()
    model(inputs.double()).sum().backward()
    assert {gate.dtype for gate in gates.values()} == {torch.float64}
    assert all(gate.grad.dtype == torch.float64 for gate in gates.values())


def test_frozen_weights_still_judge_their_channels():
    model = nn.Sequential(nn.Conv2d(3, 5, 1), nn.ReLU(), nn.Conv2d(5, 2, 1))
    gates = attach_gates(model, analyze(model, torch.rand(1, 3, 4, 4)))
    model.requires_grad_(False)
    model(torch.rand(1, 3, 4, 4)).sum().backward()
    assert gates["0"].grad.abs().sum() > 0


def test_wrong_graphs_are_refused():
    inputs = torch.rand(1, 3, 8, 8)
    graph = analyze(Tied(), inputs)
    wider = resize(Tied(), graph, graph.scaled(2))
    with pytest.raises(UserError, match="parameters"):
        attach_gates(wider, graph)
    model = Tied()
    attach_gates(model, graph)
    with pytest.raises(UserError, match="only once"):
        attach_gates(model, graph)
