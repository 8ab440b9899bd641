"""ChannelPlan: one width per channel group, the "DNA" of a network."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lwdna_mm.errors import UserError
from lwdna_mm.files import write_atomically

MOST_BYTES = 2**24


class PlanError(UserError):
    """A plan that does not fit: unknown group, impossible width, or another network's."""


class ChannelPlan:
    """Widths of channel groups; groups that are left out keep theirs.

    Args:
        entries: for each group a width, or the indices of the channels to keep (an index may be
            repeated, which copies the channel).
        meta: whatever else is known of the plan, e.g. its FLOPs; written to JSON beside the widths.

    Raises:
        PlanError: if an entry is neither a positive width nor a non-empty list of indices.
    """

    def __init__(self, entries: Mapping[str, int | Sequence[int]], meta: Mapping[str, Any] | None = None) -> None:
        self.widths: dict[str, int] = {}
        self.kept: dict[str, list[int]] = {}
        self.meta: dict[str, Any] = dict(meta or {})
        for name, entry in entries.items():
            try:
                width, indices = _read(entry)
            except (TypeError, ValueError):
                raise PlanError(
                    f"group '{name}': {entry!r} is neither a width of at least 1 nor a list of indices"
                ) from None
            self.widths[name] = width
            if indices is not None:
                self.kept[name] = indices

    def __repr__(self) -> str:
        return f"ChannelPlan({self.widths})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChannelPlan) and (self.widths, self.kept) == (other.widths, other.kept)

    __hash__ = None

    def to_json(self, path: str | os.PathLike) -> None:
        """Write the widths and the meta data, sorted by key, in one atomic step.

        Indices are not stored: a plan describes an architecture, values travel in checkpoints.
        """
        text = json.dumps({**self.meta, "widths": self.widths}, indent=2, sort_keys=True)
        write_atomically((text + "\n").encode(), path)

    @classmethod
    def from_json(cls, path: str | os.PathLike) -> ChannelPlan:
        """Read a plan.

        Raises:
            PlanError: if there is no such file, or it holds no plan.
        """
        try:
            if Path(path).stat().st_size > MOST_BYTES:
                raise PlanError(f"{path}: too long for a plan, which is a few thousand bytes")
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PlanError(f"{path}: no such plan file; write one with tools/shrink.py CONFIG --out {path}") from None
        except PlanError:
            raise
        except (OSError, ValueError, RecursionError) as error:
            raise PlanError(f"{path}: not a plan in JSON: {error}") from None
        widths = data.pop("widths", None) if isinstance(data, dict) else None
        if not isinstance(widths, dict) or not all(type(w) is int for w in widths.values()):
            raise PlanError(f"{path}: a plan needs the key 'widths' with a whole number for each group")
        try:
            return cls(widths, data)
        except PlanError as error:
            raise PlanError(f"{path}: {error}") from None


def _read(entry: Any) -> tuple[int, list[int] | None]:
    """A width, and the indices where they are given. Python's and NumPy's whole numbers are both fine."""
    if isinstance(entry, (str, bytes, Mapping)):
        raise TypeError
    indices = [_whole(index) for index in entry] if isinstance(entry, Iterable) else None
    width = _whole(entry) if indices is None else len(indices)
    if width < 1 or (indices and min(indices) < 0):
        raise ValueError
    return width, indices


def _whole(number: Any) -> int:
    if isinstance(number, (bool, np.bool_)) or getattr(number, "dtype", None) == torch.bool:  # a mask is no list
        raise TypeError
    return operator.index(number)
