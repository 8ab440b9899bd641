"""Data sets that mmpretrain and mmagic lack."""

from .digits import Digits
from .restoration import BicubicDownsample, Cached, SeededNoise
from .tracking import TrackingSequences
from .tracking_pairs import PairSampler, TrackingPairs

__all__ = [
    "BicubicDownsample",
    "Cached",
    "Digits",
    "PairSampler",
    "SeededNoise",
    "TrackingPairs",
    "TrackingSequences",
]
