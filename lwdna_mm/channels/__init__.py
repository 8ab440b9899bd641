"""The channel engine: find the coupled channels of any CNN and resize it to a plan. Needs torch, numpy and scipy.

``tracing`` reads a network; the files beside it form its channel groups and resize it.
"""

from lwdna_mm.channels.analyze import analyze
from lwdna_mm.channels.graph import ChannelGraph, ChannelGroup
from lwdna_mm.channels.plan import ChannelPlan, PlanError
from lwdna_mm.channels.resize import resize, verify
from lwdna_mm.channels.tracing.trace import AnalysisError
from lwdna_mm.channels.transfer import ResizeError

__all__ = [
    "AnalysisError",
    "ChannelGraph",
    "ChannelGroup",
    "ChannelPlan",
    "PlanError",
    "ResizeError",
    "analyze",
    "resize",
    "verify",
]
