"""Profiles of widths of a handful of numbers, and the choice among some by successive halving."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lwdna_mm.channels import ChannelGraph
from lwdna_mm.errors import UserError
from lwdna_mm.shrink.criteria import CRITERIA, UniformCriterion, checked_seed
from lwdna_mm.shrink.profiles import finite

Profile = dict[str, float]
"""Arguments of :class:`ProfileCriterion`."""

Values = Mapping[int, Sequence[float]]
"""Index of a candidate -> what it has reached in each repeat, more being better; NaN is the worst."""

# Each number is drawn from minus this to this. The tilt says most (exp(1.5) is 4.5 times the even width).
RANGES = {"tilt": 1.5, "trunk": 0.7, "first": 0.7, "last": 0.7}
# Beyond it the widths of a few groups are all that is left.
MOST = 5
# The index of the even widths, which are always among the candidates.
EVEN = 0


@CRITERIA.register
class ProfileCriterion(UniformCriterion):
    """Prescribed widths: times exp(tilt d) and exp(trunk), exp(first), exp(last) where these apply.

    All by one ratio that meets the budget, between floors and widened widths, to within a step.

    Args:
        tilt: d goes from -1 at the first group to 1 at the last.
        trunk: of the groups that several layers write, or several read, see :func:`trunk_groups`.
        first, last: of the first and the last quarter of the groups.
    """

    def __init__(self, tilt: float = 0.0, trunk: float = 0.0, first: float = 0.0, last: float = 0.0) -> None:
        for name, value in dict(tilt=tilt, trunk=trunk, first=first, last=last).items():
            finite(f"ProfileCriterion's {name}", value)
        self.tilt, self.trunk, self.first, self.last = tilt, trunk, first, last

    def growth(self, graph: ChannelGraph) -> dict[str, float]:
        """Give the product of the factors, in the order of execution."""
        count, trunk = len(graph.free), trunk_groups(graph)
        quarter = math.ceil(count / 4)
        found = {}
        for index, (name, depth) in enumerate(zip(graph.free, np.linspace(-1, 1, count), strict=True)):
            exponent = self.tilt * depth + self.trunk * (name in trunk)
            exponent += self.first * (index < quarter) + self.last * (index >= count - quarter)
            found[name] = math.exp(exponent)
        return found


@CRITERIA.register
class ProfileSearch(UniformCriterion):
    """The best of some profiles by short trainings on a part of the training images, judged on the rest of them.

    Successive halving: all candidates are trained for a small share of the training; of those drawn the best one in
    ``eta`` goes on to the next rung, where trainings are ``eta`` times as long, up to ``longest`` in the last. The
    even widths stay to the end, so that what is chosen is no worse where it was judged.

    Args:
        candidates: profiles, besides the even widths: how many are drawn, or which, as a list of the arguments of
            :class:`ProfileCriterion`.
        rungs: of the halving.
        eta: see above.
        longest: share of the whole training that the trainings of the last rung take; one in ``eta`` by default.
            What only a training to the end shows, as overfitting does, takes 1.
        held_out: share of the training images that the candidates are judged on.
        repeats: short trainings of every candidate in every rung, each with another seed and other images held out;
            their mean counts. With a few hundred images held out one training says little.
        metric: what they are judged by; by default the first by name of those that the config takes.
        seed: of the draw and of the images held out.
        ranges: the numbers that are drawn, each from minus this to this; others are 0. All of :data:`RANGES` by
            default.

    Raises:
        UserError: an argument is out of its range.

    Attributes:
        profile: the one chosen; even until then.
    """

    def __init__(
        self,
        candidates: int | Sequence[Profile] = 9,
        rungs: int = 2,
        eta: int = 3,
        longest: float | None = None,
        held_out: float = 0.2,
        repeats: int = 1,
        metric: str | None = None,
        seed: int = 0,
        ranges: Mapping[str, float] | None = None,
    ) -> None:
        drawn = candidates if isinstance(candidates, int) else len(_checked(candidates, ranges))
        counts = dict(candidates=(drawn, 1), rungs=(rungs, 1), eta=(eta, 2), repeats=(repeats, 1))
        for name, (value, least) in counts.items():
            if not (isinstance(value, int) and value >= least):
                raise UserError(f"ProfileSearch's {name} is {value!r}, but must be a whole number of at least {least}")
        if not (isinstance(held_out, float) and 0 < held_out < 1):
            raise UserError(f"ProfileSearch's held_out is {held_out!r}, but must be between 0 and 1")
        if not (longest is None or (isinstance(longest, int | float) and 0 < longest <= 1)):
            raise UserError(f"ProfileSearch's longest is {longest!r}, but must be above 0, at most 1")
        if not isinstance(ranges, Mapping | None):
            raise UserError(f"ProfileSearch's ranges is {ranges!r}, but must be a dict such as dict(tilt=1.5)")
        self.ranges = dict(RANGES if ranges is None else ranges)
        for name, limit in self.ranges.items():
            if name not in RANGES:
                raise UserError(f"ProfileSearch's ranges have {name!r}, but may have {', '.join(RANGES)}")
            if isinstance(limit, bool) or not (isinstance(limit, int | float) and 0 < limit <= MOST):
                raise UserError(f"ProfileSearch's ranges[{name!r}] is {limit!r}, but must be above 0, at most {MOST}")
        self.candidates, self.rungs, self.eta, self.held_out = candidates, rungs, eta, held_out
        self.longest = 1 / eta if longest is None else longest
        self.repeats, self.metric, self.seed = repeats, metric, checked_seed("ProfileSearch", seed)
        self.profile: Profile = {}

    @property
    def lengths(self) -> list[float]:
        """How long the trainings of each rung are, as shares of the whole training."""
        return [self.longest * self.eta ** float(rung + 1 - self.rungs) for rung in range(self.rungs)]

    def draw(self) -> list[Profile]:
        """The candidates: the even widths, then those given, or a Latin hypercube, in which each number takes evenly
        spread values.
        """
        even = dict.fromkeys(RANGES, 0.0)
        if not isinstance(self.candidates, int):
            return [even, *({**even, **one} for one in self.candidates)]
        generator = np.random.default_rng(self.seed)
        count = self.candidates
        columns = {
            name: limit * (2 * (generator.permutation(count) + generator.random(count)) / count - 1)
            for name, limit in self.ranges.items()
        }
        drawn = [{name: round(float(column[i]), 4) for name, column in columns.items()} for i in range(count)]
        return [even, *({**even, **one} for one in drawn)]

    def survivors(self, values: Values) -> list[int]:
        """Those that go on to the next rung: the even widths, and the best of the others, by their means."""
        means = _means(values)
        drawn = ranked([index for index in means if index != EVEN], means)
        return [EVEN, *sorted(drawn[: max(1, len(drawn) // self.eta)])]

    def choose(self, values: Values) -> int:
        """The best of the last rung by its mean, if its lead over the even widths is more than the lead's standard
        error over the repeats; else the next best, down to the even widths."""
        means = _means(values)
        return next(index for index in ranked(list(means), means) if index == EVEN or self._leads(values, index))

    def _leads(self, values: Values, index: int) -> bool:
        lead = np.subtract(values[index], values[EVEN])
        if self.repeats == 1 or math.isnan(lead.mean()):  # of two, a diverged one ranks last
            return True
        return bool(lead.mean() > lead.std(ddof=1) / math.sqrt(self.repeats))

    def growth(self, graph: ChannelGraph) -> dict[str, float]:
        """Give the growth of the profile chosen."""
        return ProfileCriterion(**self.profile).growth(graph)


def _checked(candidates: object, ranges: object) -> Sequence[Profile]:
    """Profiles that are given."""
    told = f"ProfileSearch's candidates are {candidates!r}, but must be a whole number, or a list such as "
    told += "[dict(tilt=-0.7), dict(tilt=0.7)]"
    if not isinstance(candidates, list | tuple) or not all(isinstance(one, Mapping) for one in candidates):
        raise UserError(told)
    if ranges is not None:
        raise UserError("ProfileSearch's candidates are given as a list, so there is nothing to draw: leave out ranges")
    for name, value in ((name, value) for one in candidates for name, value in one.items()):
        good = name in RANGES and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST
        if not good:
            raise UserError(f"{told}; {name}={value!r} is not one of {', '.join(RANGES)}, from -{MOST} to {MOST}")
    return candidates


def _means(values: Values) -> dict[int, float]:
    return {index: math.fsum(found) / len(found) for index, found in values.items()}


def ranked(indices: Sequence[int], values: Mapping[int, float]) -> list[int]:
    """Candidates from best to worst; of equals, and of those that are NaN, the first first."""
    return sorted(indices, key=lambda index: (math.isnan(values[index]), -values[index], index))


def trunk_groups(graph: ChannelGraph) -> set[str]:
    """The free groups that several layers read, or several write, as along the shortcuts of a residual network.

    A layer writes a group if it makes it out of another: depthwise convolutions, batch norms and layers that read the
    network's input do not count.
    """
    makers = {parameter for group in graph.groups.values() for parameter, _ in group.consumers}
    found = set()
    for name, group in graph.free.items():
        readers = {parameter for parameter, _ in group.consumers}
        writers = {parameter for parameter, _ in group.producers} & makers
        if max(len(readers), len(writers)) > 1:
            found.add(name)
    return found
