"""Weights that a training may not begin with."""

import pytest
from mmengine.config import Config
from mmengine.model import PretrainedInit

from lwdna_mm.engine import load_config, run, shrink
from lwdna_mm.engine.start_weights import refuse_pretrained
from lwdna_mm.errors import UserError
from tests.digits_runs import tiny_config


def test_weights_of_the_baseline_are_refused(tmp_path):
    pretrained = tiny_config(tmp_path)
    pretrained.model.backbone.init_cfg = dict(type="Pretrained", checkpoint="x.pth")
    with pytest.raises(UserError, match=r"pretrained weights \(x\.pth\)"):
        shrink(pretrained, tmp_path / "plan.json")
    with pytest.raises(UserError, match=r"pretrained weights \(y\.pth\)"):
        run(tiny_config(tmp_path, load_from="y.pth"))
    assert not list(tmp_path.glob("p*"))


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("init_cfg", dict(type=PretrainedInit, checkpoint="x.pth")),
        ("init_cfg", [dict(type="mmengine.model.PretrainedInit", checkpoint="x.pth")]),
        ("pretrained", True),
        ("checkpoint_path", "x.pth"),
    ],
)
def test_whatever_way_they_are_named(key, given):
    model = dict(type="ImageClassifier", backbone=dict(type="TIMMBackbone", **{key: given}))
    with pytest.raises(UserError, match=r"pretrained weights \((x.pth|pretrained=True|checkpoint_path='x.pth')\)"):
        refuse_pretrained(Config(dict(model=model)))


def test_the_network_of_a_loss_may_have_weights():
    loss = dict(type="PerceptualLoss", pretrained="torchvision://vgg19")
    refuse_pretrained(Config(dict(model=dict(type="BaseEditModel", generator=dict(), perceptual_loss=loss))))
    refuse_pretrained(Config(dict(model=dict(type="ImageClassifier", backbone=dict(pretrained=False)))))


def test_the_config_that_a_run_has_left_does_not_cost_its_weights(tmp_path):
    first = run(tiny_config(tmp_path / "run", train_cfg__max_epochs=1))
    left = tmp_path / "run" / "resnet8_lwdna_1xb32_digits.py"
    with pytest.raises(UserError, match=r"load_from is .*plan\.pth, which a run begun anew in .*/run takes away"):
        run(load_config(left))
    assert (tmp_path / "run" / "plan.pth").is_file()
    assert (tmp_path / "run" / "summary.json").is_file()
    again = run(load_config(left, {"work_dir": str(tmp_path / "again")}))
    assert again["metrics"] == first["metrics"]
