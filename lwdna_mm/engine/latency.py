"""The time budget of a config: its profile, checked against this process and the config's network."""

from mmengine.config import Config
from torch import nn

from ..channels import ChannelGraph
from ..errors import UserError
from ..latency import LatencyBudget, Setting, read_profile
from .channels_last import is_channels_last
from .section import LwdnaSection


def latency_budget(
    cfg: Config, section: LwdnaSection, baseline: ChannelGraph, network: nn.Module
) -> LatencyBudget | None:
    """What the config asks of the plan's time; None where it asks nothing.

    Args:
        section: its ``lwdna`` section.
        baseline: the channel graph of the network before it was widened.
        network: that network, to be timed.

    Raises:
        UserError: the profile cannot be read, or was measured on another device, with other threads, in another
            type or layout, on other inputs, another network or plans of another divisor.
    """
    limit = section.budget.latency
    if limit is None:
        return None
    profile = read_profile(limit.file)
    pairs = {
        "inputs": (profile.about["trace"]["input_shape"], section.trace_options["input_shape"]),
        "lwdna.shrink.divisor": (profile.divisor, section.shrink.divisor),
    }
    for name, (there, wanted) in pairs.items():
        if there != wanted:
            raise UserError(
                f"{limit.file} was measured with {name} {there}, the config has {wanted}; "
                "measure again with tools/latency.py"
            )
    backend, cuda = profile.setting.backend, profile.setting.cuda
    here = Setting.here(None, limit.dtype, backend, is_channels_last(cfg), cuda)
    profile.check(limit.file, baseline, here)
    return LatencyBudget(profile, limit.ratio, network, section.input_shapes, limit.file)
