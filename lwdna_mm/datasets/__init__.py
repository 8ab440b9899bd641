"""Data sets that mmpretrain and mmagic lack."""

from .augment import RandomShiftFlip
from .cached import Cached
from .digits import Digits
from .restoration import BicubicDownsample, SeededNoise
from .size import CheckSize
from .subset import build_subset
from .tiny_imagenet import TinyImageNet
from .tracking import TrackingSequences
from .tracking_pairs import PairSampler, TrackingPairs

__all__ = [
    "BicubicDownsample",
    "Cached",
    "CheckSize",
    "Digits",
    "PairSampler",
    "RandomShiftFlip",
    "SeededNoise",
    "TinyImageNet",
    "TrackingPairs",
    "TrackingSequences",
    "build_subset",
]
