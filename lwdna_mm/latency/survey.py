"""Timing a network and random plans of it, and fitting what its time depends on."""

from collections.abc import Callable, Sequence

import numpy as np
from torch import nn

from ..channels import ChannelGraph, ChannelPlan
from ..models.builders import resize_fresh
from .clock import middle_ratios, time_in_turns
from .fit import Error, fit
from .plans import random_widths
from .profile import Fitted
from .setting import Setting, Workload
from .steps import make_step


def survey(
    network: nn.Module,
    graph: ChannelGraph,
    shapes: Sequence[Sequence[int]],
    workloads: Sequence[Workload],
    setting: Setting,
    divisor: int = 1,
    plans: int = 40,
    held_out: int = 12,
    seconds: float = 60.0,
    turns: int = 15,
    tell: Callable[[str], object] = lambda line: None,
) -> tuple[Fitted, ...]:
    """Time the network and random plans of it in turns, and fit one model a workload.

    Args:
        network: the baseline, in tensor mode.
        graph: its graph.
        shapes: (C, H, W) of its inputs.
        divisor: of the plans' widths: others take other times.
        plans: networks to fit the model on, besides the baseline.
        held_out: networks to hold it against.
        seconds, turns: for each workload, see :func:`~.clock.time_in_turns`.
        tell: is given a line on what is going on, now and then.
    """
    widths = np.vstack([graph.vector(), random_widths(graph, plans + held_out, divisor)])
    own = slice(plans + 1)
    others = slice(plans + 1, None)
    names = list(graph.free)
    networks = [network]
    for row in widths[1:].tolist():
        networks.append(resize_fresh(network, graph, ChannelPlan(dict(zip(names, row, strict=True)))))
    tell(f"{len(networks)} networks built")
    found = []
    for workload in workloads:
        steps = [make_step(one, shapes, workload, setting) for one in networks]
        times = time_in_turns(steps, setting, turns, seconds, lambda line, of=workload: tell(f"{of}: {line}"))
        relative = middle_ratios(times)
        base = graph.vector()
        model = fit(graph.complexity, base, widths[own], relative[own])
        error = Error.of(model.measure(graph.complexity, base)(widths[others]), relative[others])
        found.append(Fitted(workload, float(np.median(times[:, 0])), model, error))
        tell(
            f"{workload}: {len(times)} turns; on {error.plans} plans not fitted to: median error {error.median:.1%}, "
            f"worst {error.worst:.1%}, rank correlation {error.rank:.3f}"
        )
    return tuple(found)
