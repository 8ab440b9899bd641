"""Memory that is not given back while times are taken."""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# Parameters of glibc's mallopt, and what its own adaptation ends with in any process that has freed a large block.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_USUAL = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20, _MMAP_MAX: 65536}


@contextmanager
def keeping_memory() -> Iterator[None]:
    """Let glibc keep freed memory, while the context lasts.

    Otherwise every block above 32 MB is mapped anew each time, page by page: a layer's map that is just larger than
    that, or what other networks in the process have freed, then decides over half of the time on a CPU. Nothing
    happens with other C libraries.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        for parameter, value in _USUAL.items():
            mallopt(parameter, value)
