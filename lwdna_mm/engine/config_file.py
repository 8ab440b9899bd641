"""Reading a config file, which is Python and may fail in any way, with one line about what is wrong."""

import traceback
from pathlib import Path

from mmengine.config import Config

from ..compat import mmengine_config
from ..errors import UserError

SUFFIXES = (".py", ".json", ".yaml", ".yml")

mmengine_config.install()


def read_config(path: str | Path, what: str = "config file") -> Config:
    """Read a config with its bases.

    Args:
        path: the file.
        what: it is called in a message.

    Raises:
        UserError: the file or one of its bases is not there, or cannot be executed.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such {what}")
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: no {what}, which ends in {' or '.join(SUFFIXES)}")
    try:
        return Config.fromfile(path)
    except Exception as error:
        raise UserError(f"{path}: {_told(error)}") from error


def _told(error: Exception) -> str:
    if isinstance(error, ImportError) and isinstance(error.__cause__, ImportError):  # of custom_imports
        return f"custom_imports: {error.__cause__}; its folder must be on PYTHONPATH"
    if isinstance(error, FileNotFoundError):
        return f"its base {error.filename} does not exist; _base_ is relative to the config"
    said = error.args[0] if isinstance(error, KeyError) and error.args else error
    executed = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.name == "<module>"]
    where = f"line {executed[-1].lineno} of {executed[-1].filename}: " if executed and executed[-1].filename else ""
    return f"{where}{type(error).__name__}: {said}"
