"""Whole settings of the ``lwdna`` section by name: ``lwdna = dict(preset="paper", input_shape=...)``."""

from collections.abc import Mapping
from typing import Any

from ..errors import UserError

PRESETS: dict[str, dict[str, Any]] = {
    # Li et al., CVPR 2021: the gradients of a few mini-batches, one threshold for the whole network.
    "paper": dict(
        widen=2.0,
        shrink=dict(
            warmup_iters=0,
            iters=16,
            criterion=dict(type="GradientCriterion"),
            policy="threshold",
            min_ratio=0.4,
            divisor=1,
            grow_last=True,
        ),
        budget=dict(flops=1.0),
        init="inherit",
    ),
    # The baseline's own widths with LW-DNA's start: what an LW-DNA run has to beat.
    "start": dict(
        widen=2.0,
        shrink=dict(warmup_iters=0, iters=1, criterion=dict(type="UniformCriterion"), min_ratio=0.0, divisor=1),
        budget=dict(flops=1.0),
        init="inherit",
    ),
}


def apply_preset(section: Mapping[str, Any]) -> dict[str, Any]:
    """The section with what its ``preset`` says; what it says itself holds.

    Raises:
        UserError: there is no such preset, or it comes after everything it says has been written out.
    """
    section = dict(section)
    name = section.pop("preset", None)
    if name is None:
        return section
    if not isinstance(name, str) or name not in PRESETS:
        raise UserError(f"lwdna.preset is {name!r}, but must be one of {', '.join(PRESETS)}")
    preset, shrink = PRESETS[name], section.get("shrink", {})
    if isinstance(shrink, Mapping):
        if {*preset} <= {*section} and {*preset["shrink"]} <= {*shrink}:
            raise UserError(
                f"lwdna.preset {name!r} would change nothing, for the section says all of it itself, as it does once a "
                f"config is loaded: name it in the config, or by --cfg-options lwdna.preset={name}"
            )
        shrink = {**preset["shrink"], **shrink}
    return {**preset, **section, "shrink": shrink}
