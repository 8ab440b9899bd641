"""``latency.json``: what was found out about the time of one network and its plans on one device."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..channels import ChannelGraph
from ..channels.complexity import Axis, Complexity, LayerTerm
from ..errors import UserError
from ..files import write_atomically
from ..shrink.steps import Measure
from .fit import Error
from .model import LatencyModel
from .setting import Setting, Workload


@dataclass(frozen=True)
class Fitted:
    """The time of one workload.

    Attributes:
        seconds: of the baseline, the median over the turns.
        model: other widths' time as multiples of it.
        error: of the model on plans that it was not fitted to.
    """

    workload: Workload
    seconds: float
    model: LatencyModel
    error: Error


@dataclass(frozen=True)
class Profile:
    """Latency models of a network, with all that is needed to use them: no network has to be built.

    Attributes:
        config: name of the config.
        fingerprint: of the baseline's graph.
        setting: conditions of the measurement.
        about: ``date``, ``versions`` and how the network was traced.
        divisor: of the widths of the plans that were timed.
        widths: of the baseline's free groups.
        complexity: closed forms over these groups' widths, in their order.
        fitted: one model a workload.
    """

    config: str
    fingerprint: str
    setting: Setting
    about: dict[str, Any]
    divisor: int
    widths: dict[str, int]
    complexity: Complexity
    fitted: tuple[Fitted, ...]

    @property
    def base(self) -> np.ndarray:
        """The baseline's widths, (groups,)."""
        return np.array(list(self.widths.values()), np.int64)

    def measures(self) -> dict[str, Measure]:
        """By workload the function from widths (..., groups) to times (...,) as multiples of the baseline's."""
        return {str(one.workload): one.model.measure(self.complexity, self.base) for one in self.fitted}

    def predict(self, widths: Mapping[str, int]) -> dict[str, float]:
        """By workload the time of a plan; groups that are left out have the baseline's width."""
        vector = self._vector(widths)
        return {name: float(measure(vector)) for name, measure in self.measures().items()}

    def by_layer(self, widths: Mapping[str, int]) -> dict[str, dict[str, float]]:
        """By workload and layer the time of a plan as a share of the whole baseline's."""
        vector = self._vector(widths)
        return {str(one.workload): one.model.by_layer(self.complexity, self.base, vector) for one in self.fitted}

    def check(self, path: str | Path, baseline: ChannelGraph, setting: Setting) -> None:
        """Check that the times hold here.

        Raises:
            UserError: they were measured on another network, or in another setting; it says what differs.
        """
        again = "measure again with tools/latency.py"
        # A fingerprint knows of no kernel sizes and strides, which cost what they cost.
        there = {kind: int(getattr(self.complexity, kind)(self.base)) for kind in self.complexity.terms}
        here = {kind: getattr(baseline, kind)() for kind in there}
        there, here = {"fingerprint": self.fingerprint, **there}, {"fingerprint": baseline.fingerprint, **here}
        for name in there:
            if there[name] != here[name]:
                raise UserError(
                    f"{path} was measured on another network ({self.config}, {name} {there[name]}, not {here[name]}); "
                    f"{again}"
                )
        for item in fields(Setting):
            known, wanted = getattr(self.setting, item.name), getattr(setting, item.name)
            if known != wanted:
                raise UserError(f"{path} was measured with {item.name} {known!r}, here it is {wanted!r}; {again}")

    def write(self, path: str | Path) -> None:
        """Write latency.json."""
        groups = list(self.widths)
        content = dict(
            config=self.config,
            fingerprint=self.fingerprint,
            setting=asdict(self.setting),
            **self.about,
            divisor=self.divisor,
            groups=groups,
            widths=self.widths,
            workloads=[asdict(one) for one in self.fitted],
            costs={kind: [_dump(term, groups) for term in terms] for kind, terms in self.complexity.terms.items()},
        )
        write_atomically((json.dumps(content) + "\n").encode(), Path(path))

    def _vector(self, widths: Mapping[str, int]) -> np.ndarray:
        return np.array([widths.get(name, width) for name, width in self.widths.items()], np.int64)


def read_profile(path: str | Path) -> Profile:
    """Read a latency.json.

    Raises:
        UserError: it is not there, or no such file.
    """
    try:
        content = json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; write one with tools/latency.py CONFIG --out {path}") from None
    except ValueError as error:
        raise UserError(f"{path}: damaged: {error}") from None
    try:
        groups = content["groups"]
        costs = {kind: [_load(term, groups) for term in terms] for kind, terms in content["costs"].items()}
        return Profile(
            content["config"],
            content["fingerprint"],
            Setting(**content["setting"]),
            {key: content[key] for key in ("date", "versions", "trace")},
            content["divisor"],
            {name: content["widths"][name] for name in groups},
            Complexity(**costs, count=len(groups)),
            tuple(_fitted(one) for one in content["workloads"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not written by tools/latency.py: {error!r}") from None


def _fitted(content: Mapping[str, Any]) -> Fitted:
    return Fitted(
        Workload(**content["workload"]),
        content["seconds"],
        LatencyModel(**content["model"]),
        Error(**content["error"]),
    )


def _dump(term: LayerTerm, groups: Sequence[str]) -> list:
    module, factor, axes = term
    return [module, factor, *([axis.constant, {groups[c]: w for c, w in axis.weights.items()}] for axis in axes)]


def _load(term: Sequence, groups: Sequence[str]) -> LayerTerm:
    module, factor, *axes = term
    column = {name: index for index, name in enumerate(groups)}
    return module, factor, [Axis({column[n]: w for n, w in weights.items()}, constant) for constant, weights in axes]
