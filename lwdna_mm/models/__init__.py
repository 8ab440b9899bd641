"""Models that mmpretrain and mmagic lack, and the builders of LW-DNA networks."""

from . import (
    builders,
    cifar_densenet,
    cifar_mobilenet,
    cifar_resnet,
    cifar_vgg,
    layers,
    mobilenet_v1,
    restoration,
    stacked_preprocessor,
    stride_one,
    tracking,
)
from .trace import trace

__all__ = [
    "builders",
    "cifar_densenet",
    "cifar_mobilenet",
    "cifar_resnet",
    "cifar_vgg",
    "layers",
    "mobilenet_v1",
    "restoration",
    "stacked_preprocessor",
    "stride_one",
    "trace",
    "tracking",
]
