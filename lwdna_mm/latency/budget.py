"""A budget of time: plans are found with the model, then measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from ..channels import ChannelPlan
from ..errors import UserError
from ..shrink import BudgetError
from ..shrink.steps import Measure
from .clock import ratios, time_in_turns
from .profile import Profile
from .steps import make_step

TRIES = 5
# Of a try, and of each way to run the network.
TURNS = 21
SECONDS = 30.0
# What is asked of the model after a plan was too slow: a little less than the measurement says.
MARGIN = 0.995
# What no measurement tells apart, and what is not worth another try.
NOISE = 0.01
SLACK = 0.02

Limits = Mapping[str, tuple[Measure, float]]


class LatencyError(UserError):
    """No plan was found whose measured time is within the budget."""


@dataclass(frozen=True)
class LatencyBudget:
    """All workloads of a profile, each within ``ratio`` times the baseline's time.

    Attributes:
        profile: whose setting is this process's, see :meth:`Profile.check`.
        ratio: the limit.
        baseline: the network that times are held against.
        shapes: (C, H, W) of its inputs.
        path: of the profile, for messages.
    """

    profile: Profile
    ratio: float
    baseline: nn.Module
    shapes: tuple[tuple[int, ...], ...]
    path: str

    def limits(self, targets: Mapping[str, float] | None = None) -> Limits:
        """What ``search`` takes as ``measures``: by name the predicted time and its limit, the ratio or a target."""
        targets = targets or {}
        return {
            f"times the baseline's time ({name})": (measure, targets.get(name, self.ratio))
            for name, measure in self.profile.measures().items()
        }

    def find(
        self, search: Callable[[Limits], ChannelPlan], build: Callable[[ChannelPlan], nn.Module]
    ) -> tuple[ChannelPlan, dict[str, Any]]:
        """Search and measure in turn, each time with the model set right by the last measurement.

        Plans that are too slow tighten the limits. Plans that are fast loosen them, until the limits bind no more or
        the time is used up to 2 %.

        Args:
            search: finds a plan within such limits, and whatever other budgets there are.
            build: the network of a plan.

        Returns:
            The slowest plan that was measured to be fast enough, and its ``predicted`` and ``measured`` time by
            workload as multiples of the baseline's, with the number of ``tries``.

        Raises:
            LatencyError: in 5 tries none was; all were slower than the ratio by more than 1 % and by more than the
                uncertainty of the median.
            BudgetError: the floors alone are predicted to be too slow.
        """
        targets, best, last, tries = dict.fromkeys(self.profile.measures(), self.ratio), None, None, 0
        while tries < TRIES:
            try:
                plan = search(self.limits(targets))
            except BudgetError:
                if best is None:
                    raise
                break
            if plan == last:
                break
            last, tries, predicted = plan, tries + 1, self.profile.predict(plan.widths)
            measured, noise = self._measure(build(plan))
            late = [name for name in targets if measured[name] - noise[name] > self.ratio]
            slowest = max(measured.values())
            if not late and (best is None or slowest > max(best[1]["measured"].values())):
                best = plan, dict(predicted=predicted, measured=measured)
            if not late and slowest >= self.ratio - SLACK:
                break
            for name in targets:
                targets[name] = predicted[name] * self.ratio / measured[name] * (MARGIN if name in late else 1.0)
        if best is None:
            raise LatencyError(
                f"{self.path}: after {tries} tries the plan still takes {slowest:.3f} times the baseline's time, not "
                f"{self.ratio:g}: measure again with tools/latency.py, or raise lwdna.budget.latency.ratio"
            )
        plan, times = best
        return plan, dict({kind: _rounded(of) for kind, of in times.items()}, tries=tries)

    def _measure(self, network: nn.Module) -> tuple[dict[str, float], dict[str, float]]:
        """By workload the median of the ratio to the baseline, timed in turns, and its uncertainty."""
        setting, found, noise = self.profile.setting, {}, {}
        for one in self.profile.fitted:
            steps = [make_step(net, self.shapes, one.workload, setting) for net in (self.baseline, network)]
            seen = ratios(time_in_turns(steps, setting, TURNS, SECONDS))[:, 1]
            low, middle, high = np.percentile(seen, (25, 50, 75))
            name = str(one.workload)
            found[name], noise[name] = float(middle), max(NOISE, float(high - low) / len(seen) ** 0.5)
        return found, noise


def _rounded(times: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in times.items()}
