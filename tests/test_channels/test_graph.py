"""analyze() and ChannelGraph: names, options, notes and errors."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lwdna_mm.channels import AnalysisError, ChannelPlan, PlanError, analyze
from tests.check_networks import prepare


class Net(nn.Module):
    """A stem, a residual block and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.inner = nn.Conv2d(8, 6, 3, padding=1)
        self.outer = nn.Conv2d(6, 8, 3, padding=1)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = F.relu(x + self.outer(F.relu(self.inner(x))))
        return self.fc(x.mean((2, 3)))


@pytest.fixture
def image() -> Tensor:
    return torch.randn(1, 3, 8, 8)


def test_groups_are_named_by_their_first_producer_in_order(image: Tensor) -> None:
    graph = analyze(Net(), image)
    assert list(graph.widths.items()) == [("stem", 8), ("inner", 6)]
    stem = graph.groups["stem"]
    assert stem.producers == (("stem.weight", 0), ("stem.bias", 0), ("outer.weight", 0), ("outer.bias", 0))
    assert stem.consumers == stem.gated == (("inner.weight", 1), ("fc.weight", 1))
    assert stem.members[("fc.weight", 1)].tolist() == [[i] for i in range(8)]
    assert graph.frozen == {"fc": "an output of the model"}


def test_what_the_last_layers_read(image: Tensor) -> None:
    assert analyze(Net(), image).last == ("stem",)

    class TwoHeads(Net):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            inner = self.inner(self.stem(x))
            return self.outer(inner), self.fc(self.stem(x).mean((2, 3)))

    assert analyze(TwoHeads(), image).last == ("stem", "inner")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_last_layer_before_an_image_and_a_sum_with_the_input(channels: int) -> None:
    class Denoiser(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(channels, 4, 3, 1, 1), nn.ReLU(), nn.Conv2d(4, 5, 3, 1, 1), nn.ReLU())
            self.mask = nn.Conv2d(4, 2, 1)
            self.out = nn.Conv2d(5, channels, 3, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            y = self.body[0](x)
            return x - self.out(self.body[3](self.body[2](self.body[1](y)))) * self.mask(y).mean((1, 2, 3), True)

    assert analyze(Denoiser(), torch.randn(1, channels, 8, 8)).last == ("body.2",)


def test_flatten_gives_every_channel_its_positions() -> None:
    net = nn.Sequential(nn.Conv2d(1, 3, 1), nn.Flatten(), nn.Linear(12, 2))
    group = analyze(net, torch.randn(1, 1, 2, 2)).groups["0"]
    assert group.members[("2.weight", 1)].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_the_model_is_left_as_it_was(image: Tensor) -> None:
    net = Net().train()
    net.inner.eval()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    analyze(net, image)
    assert [m.training for m in net.children()] == [True, False, True, True]
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert not net._forward_hooks
    assert not net.stem._forward_pre_hooks


def test_keep_by_group_or_module(image: Tensor) -> None:
    assert list(analyze(Net(), image, keep=["stem"]).free) == ["inner"]
    assert list(analyze(Net(), image, keep=["outer"]).free) == ["inner"]
    assert analyze(Net(), image, keep="inner").frozen["inner"] == "kept as asked"
    body = nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU()), nn.Conv2d(8, 6, 1), nn.Conv2d(6, 2, 1))
    assert list(analyze(body, image, keep=["0"]).free) == ["1"]
    with pytest.raises(AnalysisError, match=r"keep: '0\.1' makes no channels"):
        analyze(body, image, keep=["0.1"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"keep": ["stemm"]}, "no group or module 'stemm'; did you mean 'stem'?"),
        ({"grouped": "half"}, "grouped='half': expected 'within' or 'whole'"),
        ({"on_failure": "ignore"}, "on_failure='ignore': expected 'raise' or 'freeze'"),
    ],
)
def test_wrong_options_are_named(image: Tensor, options: dict, message: str) -> None:
    with pytest.raises(AnalysisError, match=message.replace("?", r"\?")):
        analyze(Net(), image, **options)


@pytest.mark.parametrize("inputs", [None, {"x": torch.zeros(1, 3, 8, 8)}, "image.png", 3])
def test_inputs_that_are_none(inputs: object) -> None:
    with pytest.raises(
        AnalysisError, match=f"example_inputs is a {type(inputs).__name__}: give a tensor, or a sequence"
    ):
        analyze(Net(), inputs)


def test_a_dict_is_no_plan(image: Tensor) -> None:
    with pytest.raises(PlanError, match="the plan is a dict: give a ChannelPlan"):
        analyze(Net(), image).resolve({"stem": 4})


def test_grouped_convolutions_lose_channels_or_whole_groups(image: Tensor) -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=4), nn.Conv2d(8, 2, 1))
    within, whole = analyze(net, image), analyze(net, image, grouped="whole")
    assert within.widths == {"0": 2, "1": 2}
    assert within.groups["0"].members[("0.weight", 0)].tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert whole.widths == {"0": 4}
    assert whole.groups["0"].members[("0.weight", 0)].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_amortized_inputs_do_not_count(image: Tensor) -> None:
    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Conv2d(3, 4, 3)

        def forward(self, z: Tensor, x: Tensor) -> Tensor:
            return F.conv2d(self.body(x), self.body(z))

    z = torch.randn(1, 3, 4, 4)
    net = Siamese()
    both = analyze(net, (z, image))
    without_z, without_image = (analyze(net, (z, image), amortized=[index]) for index in (0, 1))
    assert both.flops() - without_z.flops() == 4 * 3 * 9 * 2 * 2
    assert both.flops() - without_image.flops() == 4 * 3 * 9 * 6 * 6
    assert both.acts() == 4 * (2 * 2 + 6 * 6)  # the correlation is no layer
    assert (without_z.acts(), without_image.acts()) == (4 * 6 * 6, 4 * 2 * 2)
    assert analyze(net, (z, z), amortized=[0]).flops() < analyze(net, (z, z)).flops()


def test_fingerprint_tells_architectures_apart(image: Tensor) -> None:
    assert analyze(Net(), image).fingerprint == analyze(Net(), torch.zeros(1, 3, 16, 16)).fingerprint
    other = Net()
    other.inner, other.outer = nn.Conv2d(8, 7, 3, padding=1), nn.Conv2d(7, 8, 3, padding=1)
    assert analyze(Net(), image).fingerprint != analyze(other, image).fingerprint


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (ChannelPlan({"steem": 4}), "no channel group 'steem'; did you mean 'stem'"),
        (ChannelPlan({"fc": 3}), "group 'fc' cannot change: an output of the model"),
        (ChannelPlan({"stem": [0, 9]}), "group 'stem' has 8 channels; index 9 is not among them"),
        (ChannelPlan({"stem": 4}, {"fingerprint": "0" * 12}), "belongs to another network"),
    ],
)
def test_plans_that_do_not_fit(image: Tensor, plan: ChannelPlan, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        analyze(Net(), image).flops(plan)


def test_rigid_groups_do_not_change() -> None:
    _, graph, _ = prepare("ShuffleNetV2")
    rigid = next(g for g in graph.groups.values() if g.rigid)
    assert rigid.name not in graph.free
    assert graph.scaled(2.0).widths.keys() == graph.free.keys()
    with pytest.raises(PlanError, match=f"group '{rigid.name}' is rigid"):
        graph.flops(ChannelPlan({rigid.name: 1}))


def test_all_widths_at_once() -> None:
    _, graph, _ = prepare("ResNet-20 (CIFAR)")
    base = graph.vector()
    many = torch.randint(1, 64, (5, len(base))).numpy()
    forms = graph.complexity
    for row, *costs in zip(many, forms.flops(many), forms.params(many), forms.acts(many), strict=True):
        plan = ChannelPlan(dict(zip(graph.free, row.tolist(), strict=True)))
        assert [graph.flops(plan), graph.params(plan), graph.acts(plan)] == [int(cost) for cost in costs]


def test_activations_of_every_way_to_call_a_layer() -> None:
    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up = nn.ConvTranspose2d(3, 6, 2, stride=2, groups=3)
            self.normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(6, 5, 1))
            self.fc = nn.Linear(5, 7, bias=False)
            self.kernel = nn.Parameter(torch.randn(4, 7, 1, 1))

        def forward(self, x: Tensor) -> Tensor:
            x = self.normed(self.up(x))  # 6 and 5 maps of 16 x 16
            x = self.fc(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            x = F.conv2d(x, self.kernel).flatten(2)
            return x @ x.transpose(1, 2)  # an attention's product is no layer

    graph = analyze(Layers(), torch.randn(1, 3, 8, 8))
    assert graph.acts() == (6 + 5 + 7 + 4) * 16 * 16
    assert graph.acts(ChannelPlan({"fc": 3})) == (6 + 5 + 3 + 4) * 16 * 16


def test_what_the_pass_does_not_use_has_a_note(image: Tensor) -> None:
    class Auxiliary(Net):
        def __init__(self) -> None:
            super().__init__()
            self.extra = nn.Linear(8, 4)

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + (self.extra(self.stem(x).mean((2, 3))) if self.training else 0)

    notes = analyze(Auxiliary(), image).notes
    assert "'extra.weight' keeps its shape: the traced pass, in eval mode, does not use it" in notes


def test_costs_by_layer(image: Tensor) -> None:
    layers = analyze(Net(), image).complexity.layers
    assert list(layers) == ["stem", "inner", "outer", "fc"]
    widths = torch.tensor([[8, 6], [5, 7]]).numpy()
    assert layers["inner"].flops(widths).tolist() == [9 * 8 * 6 * 64, 9 * 5 * 7 * 64]
    assert layers["inner"].acts(widths).tolist() == [6 * 64, 7 * 64]
    assert layers["inner"].params(widths).tolist() == [9 * 8 * 6 + 6, 9 * 5 * 7 + 7]
    for name in ("MobileNetV2", "SiamRPN AlexNetV1", "ConvNeXt-tiny"):
        graph = prepare(name)[1]
        for cost in ("flops", "acts"):
            whole = getattr(graph, cost)()
            assert sum(int(getattr(one, cost)(graph.vector())) for one in graph.complexity.layers.values()) == whole


def test_parameters_of_a_parametrized_layer_are_its_own(image: Tensor) -> None:
    net = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 5, 1))
    graph = analyze(nn.Sequential(net, nn.BatchNorm2d(5)), image)
    assert {name: int(one.params(graph.vector())) for name, one in graph.complexity.layers.items()} == {"0": 5 * 3 + 10}


@pytest.mark.parametrize("ratio", [0, -1.0, float("nan"), float("inf")])
def test_widths_are_scaled_by_numbers_above_zero(ratio: float) -> None:
    graph = analyze(nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 2, 1)), torch.rand(1, 3, 4, 4))
    with pytest.raises(PlanError, match="use a finite number above 0"):
        graph.scaled(ratio)
