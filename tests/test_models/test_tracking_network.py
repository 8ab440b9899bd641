import numpy as np
import pytest
import torch
from mmengine.registry import MODELS
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from lwdna_mm.channels import analyze, resize
from lwdna_mm.errors import UserError
from lwdna_mm.models.tracking import SiameseTracker

SMALL = dict(type="lwdna_mm.AlexNetV1", channels=(8, 8, 8, 8, 8))
HEADS = {
    "siamfc": (dict(type="lwdna_mm.CrossCorrelationHead"), dict(type="lwdna_mm.ScaleSearch")),
    "siamrpn": (dict(type="lwdna_mm.SiamRPNHead", in_channels=8, channels=8), dict(type="lwdna_mm.AnchorSearch")),
    "up_channel": (
        dict(type="lwdna_mm.SiamRPNHead", in_channels=8, channels=8, correlation="up_channel"),
        dict(type="lwdna_mm.AnchorSearch"),
    ),
}


def build(kind, backbone=SMALL):
    torch.manual_seed(0)
    head, localizer = HEADS[kind]
    network = MODELS.build(dict(type="lwdna_mm.SiameseNetwork", backbone=backbone, head=head, localizer=localizer))
    network.init_weights()
    return network.eval()


@pytest.fixture
def images():
    return torch.rand(1, 3, 127, 127) * 255, torch.rand(1, 3, 255, 255) * 255


@pytest.mark.parametrize("kind", HEADS)
def test_the_mode_decides(kind, images):
    network, boxes = build(kind), torch.tensor([[127.0, 127.0, 60.0, 60.0]])
    losses = network(*images, boxes, mode="loss")
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in network.parameters())
    outputs = network(*(image.byte() for image in images))
    shapes = [part.shape[-2:] for part in (outputs if isinstance(outputs, tuple) else (outputs,))]
    assert shapes == [(17, 17)] * len(shapes)
    with pytest.raises(ValueError, match="mode 'train' is unknown"):
        network(*images, mode="train")


@pytest.mark.parametrize("kind", HEADS)
def test_every_head_goes_on_the_residual_backbone_and_trains_in_bfloat16(kind, images):
    network = build(kind, dict(type="lwdna_mm.CIResNet22", channels=(4, 4, 2))).train()
    boxes = torch.tensor([[127.0, 127.0, 60.0, 60.0]] * 2)
    images = [image.repeat(2, 1, 1, 1) for image in images]
    exact = network(*images, boxes, mode="loss")
    with torch.autocast("cpu", torch.bfloat16):
        rough = network(*images, boxes, mode="loss")
    for name, loss in exact.items():
        assert loss.dtype == rough[name].dtype == torch.float32
        torch.testing.assert_close(loss, rough[name], rtol=0.1, atol=0.05)


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("factor", [0.5, 2])
def test_resized_networks_cost_what_the_graph_says_on_the_search_branch(kind, factor, images):
    network = build(kind)
    graph = analyze(network, images, amortized=(0,))
    assert graph.free
    small = resize(network, graph, graph.scaled(factor)).eval()
    with torch.no_grad():
        template = small.template(images[0])
        with FlopCounterMode(display=False) as counter:
            small.head(template, small.embed(images[1]))
    assert graph.flops(graph.scaled(factor)) == counter.get_total_flops() // 2
    assert graph.params(graph.scaled(factor)) == sum(p.numel() for p in small.parameters())


def test_embedding_keeps_its_width_when_asked(images):
    network = build("siamfc")
    graph = analyze(network, images, keep=("backbone.embedding",))
    wide = resize(network, graph, graph.scaled(2))
    assert wide.backbone.embedding.out_channels == 8
    assert wide.backbone.layer4[0].out_channels == 16


class Colours(torch.nn.Module):
    """A stand-in for a backbone whose embedding is the image itself, thinned and centred."""

    def __init__(self):
        super().__init__()
        self.dummy = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x):
        x = torch.nn.functional.avg_pool2d(x, 8)
        return x - x.mean(dim=(1, 2, 3), keepdim=True)


def test_tracker_follows_by_correlation_in_got10ks_coordinates():
    network = build("siamfc")
    network.backbone = Colours()
    network.head.scale = 1.0
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(0, 256, (8, 8, 3)), np.ones((5, 5, 1))).astype(np.uint8)
    tracker = SiameseTracker(network)
    for step in range(5):
        left, top = 100 + 5 * step, 60 + 3 * step
        frame = np.full((200, 240, 3), 127, np.uint8)
        frame[top : top + 40, left : left + 40] = texture
        if step == 0:
            tracker.init(Image.fromarray(frame), [left + 1, top + 1, 40, 40])
        else:
            found = tracker.update(Image.fromarray(frame))
    np.testing.assert_allclose(found[:2] + found[2:] / 2, [left + 21, top + 21], atol=3)


def test_first_box_must_be_sound():
    tracker = SiameseTracker(build("siamfc"))
    image = Image.new("RGB", (50, 40))
    for box in ([1, 2, np.nan, 4], [1, 2, 0, 4]):
        with pytest.raises(UserError, match="first box"):
            tracker.init(image, box)


@pytest.mark.parametrize("kind", ["siamfc", "siamrpn"])
def test_a_frame_without_a_finite_answer_keeps_the_box(kind, monkeypatch):
    network = build(kind)
    tracker = SiameseTracker(network)
    image = Image.new("RGB", (100, 80))
    tracker.init(image, [10, 20, 30, 20])
    monkeypatch.setattr(network.backbone, "forward", lambda x: torch.full((len(x), 8, 22, 22), float("nan")))
    np.testing.assert_allclose(tracker.update(image), [10, 20, 30, 20])
    monkeypatch.undo()
    assert np.isfinite(tracker.update(image)).all()


@pytest.mark.parametrize(
    ("found", "kept"),
    [([-50, 30, 20, 20], [0, 30, 20, 20]), ([200, 90, 20, 20], [99, 79, 20, 20]), ([9, 9, 1, 900], [9, 9, 4, 80])],
)
def test_the_target_stays_in_the_image_and_visible(found, kept, monkeypatch):
    network = build("siamfc")
    tracker = SiameseTracker(network)
    image = Image.new("RGB", (100, 80))
    tracker.init(image, [10, 20, 30, 20])
    monkeypatch.setattr(network.localizer, "locate", lambda *args: np.array(found, dtype=float))
    tracker.update(image)
    np.testing.assert_allclose(tracker.box, kept)
