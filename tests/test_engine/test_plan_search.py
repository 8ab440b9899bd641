import pytest
import torch
from mmpretrain.models import ImageClassifier
from torch import nn

from lwdna_mm.engine import shrink
from lwdna_mm.errors import UserError
from lwdna_mm.registry import MODELS
from tests.digits_runs import tiny_config


@MODELS.register_module()
class WithMirror(ImageClassifier):
    """A momentum encoder of fixed widths beside the backbone, as self-supervised methods have."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.mirror = nn.Conv2d(1, self.backbone.conv1.out_channels, 3)

    def loss(self, inputs, data_samples):
        with torch.no_grad():
            self.mirror.weight.lerp_(self.backbone.conv1.weight, 0.1)
        return super().loss(inputs, data_samples)


def test_what_runs_in_training_only_is_named_where_it_does_not_fit(tmp_path):
    cfg = tiny_config(tmp_path, model__type="lwdna_mm.WithMirror")
    wanted = r"cannot be trained: .*2 parameters run in training only, such as 'mirror.weight' .*lwdna\.keep"
    with pytest.raises(UserError, match=wanted):
        shrink(cfg, tmp_path / "plan.json")
    shrink(
        tiny_config(tmp_path, model__type="lwdna_mm.WithMirror", lwdna__keep=["backbone.conv1"]), tmp_path / "p.json"
    )
