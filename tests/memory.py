"""The memory that a piece of work takes, seen from the system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROCESS = Path("/proc/self")


def _kibibytes(what: str) -> int:
    return int(re.search(rf"{what}:\s+(\d+)", (_PROCESS / "status").read_text())[1])


@contextmanager
def at_most(limit: int) -> Iterator[None]:
    """Fail where the work inside takes more than ``limit`` bytes at its peak."""
    (_PROCESS / "clear_refs").write_text("5")  # the peak is forgotten
    before = _kibibytes("VmRSS")
    yield
    assert (_kibibytes("VmHWM") - before) * 1024 < limit
