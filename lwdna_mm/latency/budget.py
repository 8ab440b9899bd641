"""A budget of time: plans are found with the model, then measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from ..channels import ChannelPlan
from ..errors import UserError
from ..shrink.steps import Measure
from .clock import ratios, time_in_turns
from .profile import Profile
from .steps import make_step

TRIES = 5
TURNS = 21
# What is asked of the model after a plan was too slow: a little less than the measurement says.
MARGIN = 0.995
# What no measurement tells apart.
NOISE = 0.01

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
        """Search, measure, and search again with tighter limits while a plan is measured to be too slow.

        Args:
            search: finds a plan within such limits, and whatever other budgets there are.
            build: the network of a plan.

        Returns:
            The plan, and ``predicted`` and ``measured`` time by workload as multiples of the baseline's, with the
            number of ``tries``.

        Raises:
            LatencyError: after 5 tries the plan is still slower than the ratio, by more than 1 % and by more than
                the uncertainty of the median.
        """
        targets = dict.fromkeys(self.profile.measures(), self.ratio)
        for tries in range(1, TRIES + 1):
            plan = search(self.limits(targets))
            predicted = self.profile.predict(plan.widths)
            measured, noise = self._measure(build(plan))
            late = [name for name in targets if measured[name] - noise[name] > self.ratio]
            if not late:
                rounded = {kind: _rounded(of) for kind, of in (("predicted", predicted), ("measured", measured))}
                return plan, dict(rounded, tries=tries)
            for name in late:
                targets[name] = MARGIN * min(targets[name], predicted[name]) * self.ratio / measured[name]
        worst = max(measured, key=measured.get)
        raise LatencyError(
            f"{self.path}: after {TRIES} tries the plan still takes {measured[worst]:.3f} times the baseline's time "
            f"({worst}), not {self.ratio:g}: measure again with tools/latency.py, or raise lwdna.budget.latency.ratio"
        )

    def _measure(self, network: nn.Module) -> tuple[dict[str, float], dict[str, float]]:
        """By workload the median of the ratio to the baseline, timed in turns, and its uncertainty."""
        setting, found, noise = self.profile.setting, {}, {}
        for one in self.profile.fitted:
            steps = [make_step(net, self.shapes, one.workload, setting) for net in (self.baseline, network)]
            seen = ratios(time_in_turns(steps, TURNS, threads=setting.threads))[:, 1]
            low, middle, high = np.percentile(seen, (25, 50, 75))
            name = str(one.workload)
            found[name], noise[name] = float(middle), max(NOISE, float(high - low) / len(seen) ** 0.5)
        return found, noise


def _rounded(times: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in times.items()}
