"""Small networks to gate and to search."""

import functools

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from lwdna_mm.channels import ChannelGraph, analyze, resize

BACKBONES = {
    "ResNet-18": (dict(type="mmpretrain.ResNet", depth=18, stem_channels=8, base_channels=8), 64),
    "ResNet-CIFAR": (dict(type="mmpretrain.ResNet_CIFAR", depth=18, stem_channels=8, base_channels=8), 64),
    "MobileNetV2": (dict(type="mmpretrain.MobileNetV2", widen_factor=0.25), 1280),
    "SE-ResNet": (dict(type="mmpretrain.SEResNet", depth=50, stem_channels=8, base_channels=16), 512),
    "RegNetX": (dict(type="mmpretrain.RegNet", arch=dict(w0=8, wa=8, wm=2.0, group_w=8, depth=6, bot_mul=1.0)), 0),
}


def classifier(name: str) -> nn.Module:
    """A full classifier of 10 classes in float64, whose batch norms fit its activations."""
    torch.manual_seed(0)
    backbone, channels = BACKBONES[name]
    with DefaultScope.overwrite_default_scope("mmpretrain"):  # another test may have left one behind
        if name == "RegNetX":
            channels = MODELS.build(backbone).stage_widths[-1]
        model = MODELS.build(
            dict(
                type="ImageClassifier",
                backbone=backbone,
                neck=dict(type="GlobalAveragePooling"),
                head=dict(type="LinearClsHead", num_classes=10, in_channels=channels),
            )
        ).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            module.momentum = None  # the plain mean of all batches
    model.train()
    for _ in range(2):
        model(images())
    return model


def images() -> Tensor:
    """Eight images (8, 3, 32, 32), the same at every call."""
    return torch.rand(8, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@functools.cache
def graph_of(name: str) -> ChannelGraph:
    """The graph of :func:`classifier`; not to be changed."""
    return analyze(classifier(name), images()[:1])


@functools.cache
def graph_of_widened(name: str) -> ChannelGraph:
    """The graph of :func:`classifier` with twice the channels; not to be changed."""
    graph = graph_of(name)
    return analyze(resize(classifier(name), graph, graph.scaled(2.0)), images()[:1])
