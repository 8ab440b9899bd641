"""Models that mmpretrain and mmagic lack, and the builders of LW-DNA networks."""

from . import (
    builders,
    cifar_mobilenet,
    cifar_resnet,
    layers,
    mobilenet_v1,
    restoration,
    stacked_preprocessor,
    tracking,
)
from .trace import trace

__all__ = [
    "builders",
    "cifar_mobilenet",
    "cifar_resnet",
    "layers",
    "mobilenet_v1",
    "restoration",
    "stacked_preprocessor",
    "trace",
    "tracking",
]
