"""Siamese trackers: SiamFC and SiamRPN."""

from .alexnet import AlexNetV1
from .ci_resnet import CIResNet22
from .localizers import AnchorSearch, ScaleSearch
from .losses import BalancedBCELoss, BalancedCrossEntropyLoss, PositiveSmoothL1Loss
from .siamese import SiameseNetwork
from .siamfc_head import CrossCorrelationHead
from .siamrpn_head import SiamRPNHead
from .tracker import SiameseTracker

__all__ = [
    "AlexNetV1",
    "AnchorSearch",
    "BalancedBCELoss",
    "BalancedCrossEntropyLoss",
    "CIResNet22",
    "CrossCorrelationHead",
    "PositiveSmoothL1Loss",
    "ScaleSearch",
    "SiamRPNHead",
    "SiameseNetwork",
    "SiameseTracker",
]
