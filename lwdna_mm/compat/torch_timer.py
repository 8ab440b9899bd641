"""torch's Timer, whose package warns, when it is imported, of a CUDA compiler on a machine without a GPU."""

import logging

_logger = logging.getLogger("torch.utils.cpp_extension")
_level = _logger.level
_logger.setLevel(logging.ERROR)
try:
    from torch.utils.benchmark import Timer, timer
finally:
    _logger.setLevel(_level)

__all__ = ["Timer", "timer"]
