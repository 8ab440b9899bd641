"""What a finished run of a suite says: one JSON line a run, kept in files that are committed as they grow."""

import json
import math
import types
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from ..errors import UserError
from ..files import write_atomically

TEST, SELECT = "test", "select"
COSTS = ("flops", "params", "acts")


class Key(NamedTuple):
    """What tells the runs of a suite apart.

    Attributes:
        stage: ``'test'``, or ``'select'`` for a point of a tuning grid, judged on images held out of the training set.
        point: that point, as text; empty in the stage ``'test'``.
    """

    task: str
    arm: str
    seed: int
    stage: str = TEST
    point: str = ""

    def __str__(self) -> str:
        return f"{self.task}/{self.arm} seed {self.seed}" + (f" ({self.point})" if self.point else "")

    @property
    def folder(self) -> Path:
        """Where the run works, below the suite's folder."""
        return Path(self.task, self.arm, *([self.point] if self.point else []), f"seed{self.seed}")


@dataclass(frozen=True)
class Record:
    """The result of one run.

    Attributes:
        size: training images a class (or in all); None where the suite does not vary it.
        metric, value: the metric that counts, at the end of the training; on the test set, or in the stage ``select``
            on the held-out images, where it is None if the training has diverged.
        flops, params, acts: of the network that was trained; for one image.
        shares: the same three relative to the task's baseline.
        training_seconds, samples: of the training alone; samples are training images seen.
        machine: processor and number of threads, such as ``AMD EPYC, 1 thread``.
        date: day of the end, ISO 8601.
        torch, code: version of torch, and commit of this project.
        spec: hash of all that decides the run.
        options: changes to the task's config.
        point: what a tuning grid has set: tried out (``select``) or chosen (``test``); empty in arms without tuning.
        train_value, train_loss: metric and loss on the training images; None where not measured, or not finite.
        search_seconds: None where no widths were searched.
        widths: group -> channels, in the order of execution; None where the network is the config's own.
    """

    suite: str
    task: str
    arm: str
    seed: int
    stage: str
    metric: str
    value: float | None
    flops: int
    params: int
    acts: int
    shares: dict[str, float]
    training_seconds: float
    samples: int
    machine: str
    date: str
    torch: str
    code: str
    spec: str
    size: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    point: dict[str, Any] = field(default_factory=dict)
    train_value: float | None = None
    train_loss: float | None = None
    search_seconds: float | None = None
    widths: dict[str, int] | None = None

    def __post_init__(self):
        if self.stage == TEST and (self.value is None or not math.isfinite(self.value)):
            raise UserError(f"{self.key}: {self.metric} is {self.value}: the training has diverged")
        for name in ("value", "train_value", "train_loss"):  # JSON has no number for them
            if getattr(self, name) is not None and not math.isfinite(getattr(self, name)):
                object.__setattr__(self, name, None)

    @property
    def key(self) -> Key:
        """Which run it is."""
        return Key(
            self.task, self.arm, self.seed, self.stage, describe_point(self.point) if self.stage == SELECT else ""
        )

    def to_dict(self) -> dict[str, Any]:
        """In plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> "Record":
        """The record that :meth:`to_dict` has written.

        Raises:
            UserError: a key is unknown or missing, or its value of the wrong kind.
        """
        if not isinstance(given, Mapping):
            raise UserError(f"a record must be a JSON object, not {given!r:.40}")
        kinds = get_type_hints(cls)
        for name in given:
            if name not in kinds:
                raise UserError(f"a record has no key {name!r}")
        for one in fields(cls):
            if one.name not in given:
                raise UserError(f"the record's {one.name!r} is missing")
            if not _is_a(given[one.name], kinds[one.name]):
                raise UserError(f"the record's {one.name!r} is {given[one.name]!r:.40}, not {_tell(kinds[one.name])}")
        if given["stage"] not in (TEST, SELECT):
            raise UserError(f"the record's 'stage' is {given['stage']!r}, not {TEST!r} or {SELECT!r}")
        if sorted(given["shares"]) != sorted(COSTS):
            raise UserError(f"the record's 'shares' has {sorted(given['shares'])}, not {sorted(COSTS)}")
        return cls(**given)


def describe_point(point: Mapping[str, Any]) -> str:
    """A point of a grid in a few characters, fit for a folder's name: ``lr=0.1,weight_decay=0.001``."""
    return ",".join(f"{name.rpartition('.')[2]}={value}" for name, value in sorted(point.items()))


def read_records(path: str | Path) -> list[Record]:
    """Read a file of records; one that does not exist has none.

    Raises:
        UserError: a line is damaged, or repeats the run of another; the message has the line's number.
    """
    path = Path(path)
    found: dict[Key, tuple[int, Record]] = {}
    try:
        lines = path.read_text().splitlines() if path.exists() else []
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no text: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            record = Record.from_dict(json.loads(line, parse_constant=_refuse))
        except (ValueError, RecursionError) as error:  # a UserError is a ValueError
            raise UserError(f"{path}, line {number}: {error}") from error
        if record.key in found:
            raise UserError(f"{path}, line {number}: {record.key} is in line {found[record.key][0]} too; delete one")
        found[record.key] = number, record
    return [record for _, record in found.values()]


def write_records(records: Iterable[Record], path: str | Path) -> None:
    """Write the records, sorted by key, so that the file is either the old one or complete.

    The same records always give the same bytes. Keys are in alphabetic order, but widths stay in the order of
    execution.
    """
    lines = [_line(record) + "\n" for record in sorted(records, key=lambda record: record.key)]
    write_atomically("".join(lines).encode(), path)


def merge(kept: Iterable[Record], new: Iterable[Record]) -> list[Record]:
    """All runs of both, sorted by key.

    Where both have a run, the kept one stays, so that nobody tries again until the test set is kind; but a run whose
    specification has changed is another run, and the new one takes its place.
    """
    found = {record.key: record for record in kept}
    for record in new:
        if record.key not in found or found[record.key].spec != record.spec:
            found[record.key] = record
    return [found[key] for key in sorted(found)]


def _line(record: Record) -> str:
    given = record.to_dict()
    for name in ("options", "point", "shares"):
        given[name] = json.loads(json.dumps(given[name], sort_keys=True))
    return json.dumps(dict(sorted(given.items())), allow_nan=False)


def _refuse(constant: str) -> None:
    raise UserError(f"{constant} is no JSON")


def _is_a(value: Any, kind: Any) -> bool:
    if isinstance(kind, types.UnionType):
        return any(_is_a(value, one) for one in get_args(kind))
    if get_origin(kind) is dict:
        values = get_args(kind)[1]
        return isinstance(value, dict) and (values is Any or all(_is_a(one, values) for one in value.values()))
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _tell(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_tell(one) for one in get_args(kind))
    if get_origin(kind) is dict:
        return "an object" if get_args(kind)[1] is Any else f"an object, each value {_tell(get_args(kind)[1])},"
    return {str: "a text", int: "a whole number", float: "a number", types.NoneType: "null"}[kind]
