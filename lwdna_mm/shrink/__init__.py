"""Channel gates, importance criteria and the search for a channel plan; needs torch, numpy and scipy."""

from lwdna_mm.shrink.criteria import (
    CRITERIA,
    AbsGradientCriterion,
    Criterion,
    GateGradientCriterion,
    GradientCriterion,
    RandomCriterion,
    TaylorCriterion,
    UniformCriterion,
)
from lwdna_mm.shrink.gated_conv import GatedConv2d, GatedLinear
from lwdna_mm.shrink.gates import Gates, attach_gates
from lwdna_mm.shrink.latent import GATES, LatentHypernet, LatentMagnitudeCriterion, Latents, PlainGates
from lwdna_mm.shrink.profile_search import ProfileCriterion, ProfileSearch
from lwdna_mm.shrink.profiles import RandomWidthsCriterion, TiltCriterion, WidthsCriterion
from lwdna_mm.shrink.response import ResponseCriterion
from lwdna_mm.shrink.search import BudgetError, search

__all__ = [
    "CRITERIA",
    "GATES",
    "AbsGradientCriterion",
    "BudgetError",
    "Criterion",
    "GateGradientCriterion",
    "GatedConv2d",
    "GatedLinear",
    "Gates",
    "GradientCriterion",
    "LatentHypernet",
    "LatentMagnitudeCriterion",
    "Latents",
    "PlainGates",
    "ProfileCriterion",
    "ProfileSearch",
    "RandomCriterion",
    "RandomWidthsCriterion",
    "ResponseCriterion",
    "TaylorCriterion",
    "TiltCriterion",
    "UniformCriterion",
    "WidthsCriterion",
    "attach_gates",
    "search",
]
