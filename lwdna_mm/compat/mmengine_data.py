"""mmengine's data sets, with errors that name the sample.

What is wrong in mmengine 0.10.12: what a transform raises says nothing of the file it was given.
"""

from collections.abc import Mapping
from typing import Any

from mmengine.dataset import BaseDataset

from ..errors import UserError


def prepare_data(self: BaseDataset, idx: int) -> Any:
    """A sample after all transforms, as mmengine's method of this name.

    Raises:
        UserError: naming the sample's file, or its number where it has none, for whatever a transform raises.
    """
    info = self.get_data_info(idx)
    name = _name(info) or f"sample {idx} of {type(self).__name__}"
    try:
        return self.pipeline(info)
    except Exception as error:
        raise UserError(_named(name, error)) from error


def _name(info: Any) -> str | None:
    if not isinstance(info, Mapping):
        return None
    return next((str(info[key]) for key in ("img_path", "gt_path") if info.get(key)), None)


def _named(name: str, error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, UserError):
        return str(error) if name in str(error) else f"{name}: {error}"
    return f"{name}: {type(error).__name__}: {error}"


def install() -> None:
    """Let mmengine's data sets, and those derived from them, name the sample in errors."""
    BaseDataset.prepare_data = prepare_data
