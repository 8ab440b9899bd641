"""Metrics and experiments that mmpretrain and mmagic lack."""

from .tracking_metric import OTBMetric

__all__ = ["OTBMetric"]
