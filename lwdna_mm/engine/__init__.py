"""Widen, shrink and retrain with mmengine."""

from ..compat import cpu_amp
from ..runs.summary import format_summary
from . import channels_last, checkpoint, exact_resume, nonfinite, response_hook, response_loop, shrink_hook, shrink_loop
from .arguments import apply_arguments
from .config import load_config
from .pipeline import run, shrink
from .read_data import read_all
from .section import parse_section
from .testing import evaluate

__all__ = [
    "apply_arguments",
    "channels_last",
    "checkpoint",
    "cpu_amp",
    "evaluate",
    "exact_resume",
    "format_summary",
    "load_config",
    "nonfinite",
    "parse_section",
    "read_all",
    "response_hook",
    "response_loop",
    "run",
    "shrink",
    "shrink_hook",
    "shrink_loop",
]
