"""The time that networks take on this device: measured in turns, and modelled as a closed form of the widths."""

from .budget import LatencyBudget, LatencyError, Limits
from .clock import middle_ratios, ratios, time_in_turns
from .fit import fit
from .model import LatencyModel
from .plans import random_widths
from .profile import Profile, read_profile
from .setting import Setting, Workload

__all__ = [
    "LatencyBudget",
    "LatencyError",
    "LatencyModel",
    "Limits",
    "Profile",
    "Setting",
    "Workload",
    "fit",
    "middle_ratios",
    "random_widths",
    "ratios",
    "read_profile",
    "time_in_turns",
]
