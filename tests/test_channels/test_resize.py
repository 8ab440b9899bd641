"""resize() and verify(): values, initialisation, shared parameters and failures."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lwdna_mm.channels import ChannelPlan, ResizeError, analyze, resize, verify
from tests.check_networks import prepare


def _net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.PReLU(8), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 2, 1)
    )


@pytest.fixture
def image() -> Tensor:
    return torch.randn(1, 3, 8, 8)


def test_kept_channels_keep_their_values(image: Tensor) -> None:
    net = _net()
    small = resize(net, analyze(net, image), ChannelPlan({"0": [1, 4, 6]}))
    assert torch.equal(small[0].weight, net[0].weight[[1, 4, 6]])
    assert torch.equal(small[4].weight, net[4].weight[:, [1, 4, 6]])
    assert torch.equal(small[1].running_var, net[1].running_var[[1, 4, 6]])
    assert (small[0].out_channels, small[1].num_features, small[2].num_parameters) == (3, 3, 3)
    assert (small[3].in_channels, small[3].out_channels, small[3].groups, small[4].in_channels) == (3, 3, 3, 3)
    assert net[0].out_channels == 8
    assert type(small) is type(net)
    small[0].weight.data.zero_()
    assert net[0].weight.abs().sum() > 0


def test_a_width_keeps_the_first_channels_and_repeats_in_turn(image: Tensor) -> None:
    net = _net()
    graph = analyze(net, image)
    assert torch.equal(resize(net, graph, ChannelPlan({"0": 2}))[0].weight, net[0].weight[:2])
    wide = resize(net, graph, ChannelPlan({"0": 12}))
    assert torch.equal(wide[0].weight, net[0].weight[[0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7]])


def test_fresh_values_follow_the_layers_own_initialisation(image: Tensor) -> None:
    class Net(nn.Sequential):
        def init_weights(self) -> None:
            nn.init.constant_(self[4].weight, 0.25)

    net = Net(*_net())
    fresh = resize(net, analyze(net, image), ChannelPlan({"0": 4}), inherit=False)
    assert not torch.equal(fresh[0].weight, net[0].weight[:4])
    assert bool((fresh[4].weight == 0.25).all())


def test_shared_parameters_stay_shared(image: Tensor) -> None:
    net = nn.Sequential(nn.Conv2d(3, 6, 1), nn.Conv2d(6, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 1), nn.Conv2d(6, 2, 1))
    net[3].weight = net[1].weight
    small = resize(net, analyze(net, image), ChannelPlan({"0": [0, 3]}))
    assert small[3].weight is small[1].weight
    assert small[1].weight.shape == (2, 2, 1, 1)


def test_frozen_parameters_stay_frozen(image: Tensor) -> None:
    net = _net()
    net[0].weight.requires_grad_(False)
    small = resize(net, analyze(net, image), ChannelPlan({"0": 4}))
    assert [p.requires_grad for p in small.parameters()] == [p.requires_grad for p in net.parameters()]


def test_resized_graphs_keep_their_names() -> None:
    model, graph, _ = prepare("MobileNetV2")
    plan = ChannelPlan({name: max(2, width // 3) for name, width in graph.widths.items()})
    small = resize(model, graph, plan)
    assert analyze(small, graph.tracing.inputs, forward=graph.tracing.forward).widths == plan.widths


def test_mmengine_models_initialise_themselves_again() -> None:
    model, graph, _ = prepare("ResNet-18 (CIFAR)")
    fresh = resize(model, graph, ChannelPlan({"backbone.conv1": 32}), inherit=False)
    assert fresh.is_init
    assert bool((fresh.backbone.bn1.weight == 1).all())


class Stubborn(nn.Module):
    """Works at one width only: Python code that no label shows."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 1), nn.Conv2d(6, 8, 1)
        self.last = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(F.relu(self.first(x)))
        return self.last(x if x.shape[1] == 8 else x.flip(1).mul(2))


def test_the_failing_group_is_named(image: Tensor) -> None:
    net = Stubborn()
    graph = analyze(net, image)
    verify(net, graph, ChannelPlan({"first": 3}))
    with pytest.raises(ResizeError, match=r"resized from 8 to 5 channels, group 'second' fails") as caught:
        resize(net, graph, ChannelPlan({"first": 3, "second": 5}))
    assert caught.value.group == "second"


def test_on_failure_freeze_keeps_the_failing_group(image: Tensor) -> None:
    net = Stubborn()
    graph = analyze(net, image, on_failure="freeze")
    assert list(graph.free) == ["first"]
    assert "group 'second' fails" in graph.frozen["second"]
    verify(net, graph, ChannelPlan({"first": 3}))


def test_a_wrong_graph_is_not_believed(image: Tensor) -> None:
    """Swap two channels of a consumer in the graph: FLOPs agree, values do not."""
    net = nn.Sequential(nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Conv2d(6, 2, 1))
    graph = analyze(net, image)
    positions = graph.groups["0"].members[("2.weight", 1)]
    positions[[0, 5]] = positions[[5, 0]]
    with pytest.raises(ResizeError, match="group '0' fails: the resized network computes something else"):
        resize(net, graph, ChannelPlan({"0": [0, 1, 2]}))


def test_blocks_that_are_fused_know_their_channels() -> None:
    from mmpretrain.models.backbones import RepVGG

    model = RepVGG(
        dict(num_blocks=[1, 2, 1, 1], width_factor=[0.25, 0.25, 0.25, 0.25], group_layer_map=None, se_cfg=None)
    )
    model.eval()
    images = torch.rand(1, 3, 32, 32)
    graph = analyze(model, images)
    small = resize(model, graph, graph.scaled(0.6))
    small.eval()
    (expected,) = small(images)
    small.switch_to_deploy()
    assert torch.allclose(small(images)[0], expected, atol=1e-5)


def test_recurrent_layers_read_other_features() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.lstm, self.head = nn.Conv1d(3, 8, 3), nn.LSTM(8, 6, bidirectional=True), nn.Linear(12, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.lstm(self.conv(x).permute(2, 0, 1))[0])

    model, series = Recurrent(), torch.rand(2, 3, 10)
    small = resize(model, analyze(model, series), ChannelPlan({"conv": 5}))
    assert (small.lstm.input_size, small(series).shape) == (5, (8, 2, 2))
