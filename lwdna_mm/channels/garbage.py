"""Python's cyclic garbage collector at rest while a network is looked at."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Do not look for cyclic garbage for a while.

    Networks, labels and passes are thousands of objects without cycles, freed as they are let go; looking through
    them, and through all that the process holds beside, takes as long as the work itself.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
