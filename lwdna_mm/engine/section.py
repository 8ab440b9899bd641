"""The ``lwdna`` section of a config: the one thing that tells an LW-DNA run from its baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from ..errors import UserError
from ..latency.setting import DTYPES
from ..models.builders import MOST_TIMES
from ..models.trace import Shape, parse_shapes
from ..shrink import CRITERIA, GATES, PlainGates
from .presets import apply_preset

MOST_TOLD = 40
COUNTED = ("flops", "params", "acts")


@dataclass(frozen=True)
class ShrinkOptions:
    """How the widened network is judged and cut (the shrinkage of the paper).

    Attributes:
        warmup_iters: iterations of ordinary training of the widened network before it is judged.
        iters: iterations (mini-batches) over which the criterion looks.
        criterion: config of one of :data:`lwdna_mm.shrink.CRITERIA`.
        policy: how the search spends the budget, ``'threshold'`` or ``'density'``; None, until it is parsed, for
            what suits the criterion.
        min_ratio: share of a group's widened channels that always stays; or a dict of shares by group.
        divisor: widths are multiples of it.
        grow_last: whether what the model's last layers read (:attr:`lwdna_mm.channels.ChannelGraph.last`) may become
            wider than in the baseline, by a criterion that neither prescribes widths nor measures what they give.
        batch_ratio: share of the config's batch size that a mini-batch of the search has.
        gate: config of one of :data:`lwdna_mm.shrink.GATES`.
    """

    warmup_iters: int = 0
    iters: int = 16
    criterion: dict = field(default_factory=lambda: dict(type="GradientCriterion"))
    policy: str | None = None
    min_ratio: float | dict = 0.4
    divisor: int = 1
    grow_last: bool = False
    batch_ratio: float = 1.0
    gate: dict = field(default_factory=lambda: dict(type="PlainGates"))

    @property
    def plain(self) -> bool:
        """Whether channels have plain gates, which are 1 at the start."""
        return GATES.class_of(self.gate) is PlainGates


@dataclass(frozen=True)
class LatencyLimit:
    """A limit on time.

    Attributes:
        file: a latency.json by tools/latency.py; every way to run the network that it has is limited.
        ratio: the limit, as a share of the baseline's time.
        dtype: in which it must have been measured.
    """

    file: str
    ratio: float = 1.0
    dtype: str = "fp32"


@dataclass(frozen=True)
class Budget:
    """Limits as shares of the baseline's own costs; at least one is given, all hold.

    Attributes:
        flops, params, acts: of FLOPs, parameters and activations.
        latency: of measured time.
    """

    flops: float | None = None
    params: float | None = None
    acts: float | None = None
    latency: LatencyLimit | None = None

    @property
    def shares(self) -> dict[str, float]:
        """The limits on what is counted."""
        counted = dict(flops=self.flops, params=self.params, acts=self.acts)
        return {name: share for name, share in counted.items() if share is not None}

    @property
    def options(self) -> dict[str, Any]:
        """All limits in plain JSON types."""
        return {**self.shares, **({} if self.latency is None else {"latency": asdict(self.latency)})}


@dataclass(frozen=True)
class LwdnaSection:
    """The parsed section.

    Attributes:
        widen: factor by which every channel group of the baseline grows before the search.
        shrink: see :class:`ShrinkOptions`.
        budget: see :class:`Budget`.
        init: ``'inherit'``: training starts from the weights cut out of the widened network; ``'fresh'``:
            from the network's own initialisation.
        input_shapes: one (C, H, W) for every input of the model's tensor mode.
        grouped, keep, amortized: handed to :func:`lwdna_mm.channels.analyze`.
    """

    input_shapes: tuple[Shape, ...]
    widen: float = 2.0
    shrink: ShrinkOptions = field(default_factory=ShrinkOptions)
    budget: Budget = field(default_factory=lambda: Budget(flops=1.0))
    init: str = "inherit"
    grouped: str = "within"
    keep: tuple[str, ...] = ()
    amortized: tuple[int, ...] = ()

    @property
    def trace_options(self) -> dict[str, Any]:
        """What is needed to trace the network again, in plain JSON types."""
        return dict(
            input_shape=[list(shape) for shape in self.input_shapes],
            grouped=self.grouped,
            keep=list(self.keep),
            amortized=list(self.amortized),
        )

    @property
    def plan_options(self) -> dict[str, Any]:
        """What a plan depends on besides the network, the criterion and the seed, in plain JSON types."""
        shrink = self.shrink
        return dict(
            policy=shrink.policy,
            budget=self.budget.options,
            widen=self.widen,
            min_ratio=shrink.min_ratio,
            divisor=shrink.divisor,
            iters=shrink.iters,
            warmup_iters=shrink.warmup_iters,
            **({} if shrink.grow_last else {"grow_last": False}),
            **({} if shrink.batch_ratio == 1 else {"batch_ratio": shrink.batch_ratio}),
            **({} if shrink.plain else {"gate": dict(shrink.gate)}),
            **self.trace_options,
        )


def parse_section(section: Mapping[str, Any]) -> LwdnaSection:
    """Check and complete the ``lwdna`` section of a config.

    Raises:
        UserError: an unknown key, a missing input shape, a value out of its range, or a criterion or gate that does not
            take its arguments.
    """
    if not isinstance(section, Mapping):
        raise UserError(f"lwdna must be a dict, not {section!r}; leave it out, or give None, for the baseline")
    section = apply_preset(section)
    names = [item.name for item in fields(LwdnaSection) if item.name != "input_shapes"]
    _check_keys("lwdna", section, [*names, "input_shape", "preset"])
    if section.get("input_shape") is None:
        raise UserError("lwdna.input_shape is missing: give the shape of one input, such as (3, 32, 32)")
    section["input_shapes"] = parse_shapes(section.pop("input_shape"))
    section["shrink"] = _shrink(section.get("shrink", {}))
    section["budget"] = _budget(section.get("budget", dict(flops=1.0)))
    for name, kind in (("keep", str), ("amortized", int)):
        section[name] = _listed(name, section.get(name, ()), kind)
    parsed = LwdnaSection(**section)
    _check_types(parsed)
    _check_values(parsed)
    for registry, config in ((CRITERIA, parsed.shrink.criterion), (GATES, parsed.shrink.gate)):
        registry.build(registry.complete(config, seed=0))  # or a wrong argument would be told late
    return parsed


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of an error message: what was probably meant by ``name``."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    known = sorted({*known})
    return f"known are {', '.join(known[:MOST_TOLD])}{', ...' if len(known) > MOST_TOLD else ''}"


def _check_keys(where: str, given: Mapping, known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            raise UserError(f"{where} has no key {key!r}: {nearest(key, known)}")


def _build(where: str, cls: type, given: Any) -> Any:
    if not isinstance(given, Mapping):
        raise UserError(f"{where} must be a dict, not {given!r}")
    _check_keys(where, given, [item.name for item in fields(cls)])
    return cls(**given)


def _shrink(given: Any) -> ShrinkOptions:
    """The options, with the policy that suits the criterion where they say none."""
    shrink = _build("lwdna.shrink", ShrinkOptions, given)
    if shrink.policy is None and isinstance(shrink.criterion, Mapping):
        return replace(shrink, policy=CRITERIA.class_of(shrink.criterion).policy)
    return shrink


def _budget(given: Any) -> Budget:
    budget = _build("lwdna.budget", Budget, given)
    limit = dict(file=budget.latency) if isinstance(budget.latency, str) else budget.latency
    if limit is None:
        return budget
    if not isinstance(limit, Mapping) or "file" not in limit:
        wanted = "the path of a latency.json, or a dict such as dict(file='latency.json', ratio=1.0)"
        raise UserError(f"lwdna.budget.latency is {limit!r}, but must be {wanted}")
    return replace(budget, latency=_build("lwdna.budget.latency", LatencyLimit, limit))


def _listed(name: str, given: Any, kind: type) -> tuple:
    given = [given] if isinstance(given, kind) else given
    if not isinstance(given, (list, tuple)) or not all(isinstance(one, kind) for one in given):
        raise UserError(f"lwdna.{name} is {given!r}, but must be a list of {kind.__name__}")
    return tuple(given)


def _check_types(section: LwdnaSection) -> None:
    shrink, budget, number = section.shrink, section.budget, (int, float)
    ratios = shrink.min_ratio.values() if isinstance(shrink.min_ratio, Mapping) else [shrink.min_ratio]
    rules = [
        ("widen", section.widen, number, "a number"),
        ("shrink.warmup_iters", shrink.warmup_iters, int, "a whole number"),
        ("shrink.iters", shrink.iters, int, "a whole number"),
        ("shrink.divisor", shrink.divisor, int, "a whole number"),
        ("shrink.criterion", shrink.criterion, Mapping, "a dict such as dict(type='GradientCriterion')"),
        ("shrink.gate", shrink.gate, Mapping, "a dict such as dict(type='LatentHypernet')"),
        ("shrink.batch_ratio", shrink.batch_ratio, number, "a number"),
        ("shrink.policy", shrink.policy, str, "a string"),
        *((f"budget.{name}", getattr(budget, name), (*number, type(None)), "a number") for name in COUNTED),
        *(("shrink.min_ratio", ratio, number, "a number, or a dict of numbers by group") for ratio in ratios),
    ]
    if budget.latency is not None:
        rules += [
            ("budget.latency.file", budget.latency.file, str, "the path of a latency.json"),
            ("budget.latency.ratio", budget.latency.ratio, number, "a number"),
            ("budget.latency.dtype", budget.latency.dtype, str, "a string"),
        ]
    if not isinstance(shrink.grow_last, bool):
        raise UserError(f"lwdna.shrink.grow_last is {shrink.grow_last!r}, but must be True or False")
    for name, value, kind, wanted in rules:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise UserError(f"lwdna.{name} is {value!r}, but must be {wanted}")
    beyond = [index for index in section.amortized if not 0 <= index < len(section.input_shapes)]
    if beyond:
        raise UserError(f"lwdna.amortized has {beyond[0]}, but there are {len(section.input_shapes)} inputs, from 0 on")


def _check_values(section: LwdnaSection) -> None:
    shrink, budget = section.shrink, section.budget
    ratios = shrink.min_ratio.values() if isinstance(shrink.min_ratio, Mapping) else [shrink.min_ratio]
    rules = [
        ("widen", section.widen, 1 <= section.widen <= MOST_TIMES, f"at least 1, at most {MOST_TIMES}"),
        ("shrink.warmup_iters", shrink.warmup_iters, shrink.warmup_iters >= 0, "0 or more"),
        ("shrink.iters", shrink.iters, shrink.iters >= 1, "1 or more"),
        ("shrink.min_ratio", shrink.min_ratio, all(0 <= one <= 1 for one in ratios), "between 0 and 1"),
        ("shrink.divisor", shrink.divisor, shrink.divisor >= 1, "1 or more"),
        ("shrink.batch_ratio", shrink.batch_ratio, 0 < shrink.batch_ratio <= 1, "above 0, at most 1"),
        ("init", section.init, section.init in ("inherit", "fresh"), "'inherit' or 'fresh'"),
        ("budget", budget, bool(budget.options), "flops, params, acts or latency, or several"),
    ]
    rules += [(f"budget.{name}", share, share > 0, "above 0") for name, share in budget.shares.items()]
    if budget.latency is not None:
        ratio, dtype = budget.latency.ratio, budget.latency.dtype
        rules += [
            ("budget.latency.ratio", ratio, ratio > 0, "above 0"),
            ("budget.latency.dtype", dtype, dtype in DTYPES, f"one of {', '.join(DTYPES)}"),
        ]
    for name, value, good, wanted in rules:
        if not good:
            raise UserError(f"lwdna.{name} is {value!r}, but must be {wanted}")
