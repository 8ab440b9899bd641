import json

import pytest
import torch
import torchvision
from mmengine.registry import MODELS, init_default_scope

import lwdna_mm.models
from lwdna_mm.channels import ChannelPlan
from lwdna_mm.errors import UserError
from lwdna_mm.models.cifar_resnet import CifarResNet
from lwdna_mm.models.trace import trace

SHAPE = (3, 16, 16)
CLASSIFIER = dict(
    type="ImageClassifier",
    _scope_="mmpretrain",  # what it builds inside is named without a prefix
    backbone=dict(type="lwdna_mm.CifarResNet", depth=8),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=5, in_channels=64),
)
OPTIONS = dict(input_shape=[list(SHAPE)], grouped="within", keep=[], amortized=[])


@pytest.fixture(scope="module")
def plan():
    """A plan whose groups shrink, grow and stay, as a search writes it."""
    init_default_scope("mmpretrain")
    graph = trace(MODELS.build(CLASSIFIER), OPTIONS)
    widths = {name: group.width for name, group in graph.free.items()}
    widths.update({"backbone.conv1": 11, "backbone.layer1.0.conv1": 23, "backbone.layer3.0.conv2": 50})
    return ChannelPlan(widths, dict(fingerprint=graph.fingerprint, **OPTIONS))


@pytest.mark.parametrize("kind", ["LWDNA", "lwdna_mm.LWDNA"])
@pytest.mark.parametrize("scope", ["mmengine", "mmpretrain", "mmagic"])
def test_any_scope_builds_the_plain_network(plan, tmp_path, kind, scope):
    plan.to_json(tmp_path / "plan.json")
    init_default_scope(scope)
    model = MODELS.build(dict(type=kind, model=CLASSIFIER, plan=str(tmp_path / "plan.json")))
    plain = MODELS.build(CLASSIFIER)
    assert type(model) is type(plain)
    assert list(model.state_dict()) == list(plain.state_dict())
    assert trace(model, OPTIONS).widths == plan.widths
    assert model.head.fc.in_features == 50
    assert CLASSIFIER["type"] == "ImageClassifier"  # the config is left as it was


def test_plan_as_path_content_or_object(plan, tmp_path):
    plan.to_json(tmp_path / "plan.json")
    content = json.loads((tmp_path / "plan.json").read_text())
    shapes = []
    for given in (tmp_path / "plan.json", content, plan):
        model = MODELS.build(dict(type="LWDNA", model=CLASSIFIER, plan=given))
        shapes.append({name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
    assert shapes[0] == shapes[1] == shapes[2]
    assert "widths" in content


def test_the_network_is_freshly_initialised(plan):
    model = MODELS.build(dict(type="LWDNA", model=CLASSIFIER, plan=plan))
    rows = model.backbone.layer1[0].conv1.weight.flatten(1)  # 23 of 16 channels: copies if values were inherited
    assert len({tuple(row) for row in rows.tolist()}) == 23


def test_data_preprocessor_of_the_runner(plan):
    given = dict(mean=[1.0, 2.0, 3.0], std=[1.0, 1.0, 1.0], num_classes=5)
    model = MODELS.build(dict(type="LWDNA", model=CLASSIFIER, plan=plan, data_preprocessor=given))
    assert model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]


def test_backbone_of_a_whole_models_plan(plan):
    backbone = MODELS.build(dict(type="LWDNABackbone", backbone=CLASSIFIER["backbone"], plan=plan))
    assert type(backbone) is CifarResNet
    assert backbone.training
    whole = MODELS.build(dict(type="LWDNA", model=CLASSIFIER, plan=plan)).backbone
    shapes = [{name: tensor.shape for name, tensor in one.state_dict().items()} for one in (backbone, whole)]
    assert shapes[0] == shapes[1]
    assert backbone(torch.rand(2, *SHAPE))[0].shape[1] == 50
    inside = dict(CLASSIFIER, backbone=dict(type="LWDNABackbone", backbone=CLASSIFIER["backbone"], plan=plan))
    inside["head"] = dict(CLASSIFIER["head"], in_channels=plan.widths["backbone.layer3.0.conv2"])
    assert MODELS.build(inside)(torch.rand(2, *SHAPE), mode="tensor").shape == (2, 5)


def test_a_backbone_keeps_what_the_plan_kept_in_it(plan):
    """What the whole model kept elsewhere is not there."""
    meta = dict(plan.meta, keep=["head.fc", "backbone.conv1"])
    widths = {name: width for name, width in plan.widths.items() if name != "backbone.conv1"}
    build = dict(type="LWDNABackbone", backbone=CLASSIFIER["backbone"])
    MODELS.build(dict(build, plan=ChannelPlan(widths, meta)))
    with pytest.raises(UserError, match="conv1' cannot change: kept as asked"):
        MODELS.build(dict(build, plan=ChannelPlan({**widths, "backbone.conv1": 4}, meta)))


@pytest.mark.parametrize(
    ("entries", "meta", "message"),
    [
        ({"backbone.conv9": 4}, OPTIONS, "no channel group 'backbone.conv9'"),
        ({"backbone.conv1": 4}, dict(OPTIONS, fingerprint="0" * 12), "another network"),
        ({"backbone.conv1": 4}, {}, "input_shape"),
    ],
)
def test_plans_that_do_not_fit(entries, meta, message):
    with pytest.raises(UserError, match=message):
        MODELS.build(dict(type="LWDNA", model=CLASSIFIER, plan=ChannelPlan(entries, meta)))


def test_missing_plan_and_foreign_prefix(plan, tmp_path):
    with pytest.raises(UserError, match="no such plan"):
        MODELS.build(dict(type="LWDNA", model=CLASSIFIER, plan=str(tmp_path / "none.json")))
    with pytest.raises(UserError, match="begins with 'generator"):
        MODELS.build(dict(type="LWDNABackbone", backbone=CLASSIFIER["backbone"], plan=plan, prefix="generator."))


def test_cifar_resnet_is_the_papers():
    """He et al. (2016), table 6: 0.27 M and 0.85 M parameters; option B adds two 1x1 shortcuts."""
    for depth, params in ((20, 0.27e6), (56, 0.85e6)):
        model = lwdna_mm.models.cifar_resnet.CifarResNet(depth)
        assert sum(p.numel() for p in model.parameters()) == pytest.approx(params, rel=0.02)
        convs = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)]
        assert len(convs) == depth - 1
    model.init_weights()
    assert all((block.norm2.weight == 1).all() for block in model.layer1)


def test_cifar_mobilenet_is_torchvisions_at_another_stride():
    model = lwdna_mm.models.cifar_mobilenet.CifarMobileNetV2()
    torchvisions = torchvision.models.mobilenet_v2().features
    assert [p.shape for p in model.parameters()] == [p.shape for p in torchvisions.parameters()]
    assert model(torch.rand(1, 3, 32, 32))[0].shape == (1, 1280, 4, 4)


def test_inputs_of_another_shape_are_named():
    init_default_scope("mmpretrain")
    with pytest.raises(UserError, match=r"does not run on inputs of shape \[\[1, 16, 16\]\], see input_shape"):
        trace(MODELS.build(CLASSIFIER), dict(OPTIONS, input_shape=[[1, 16, 16]]))
