"""mmengine's reading and writing of checkpoints, made safe.

What is wrong in mmengine 0.10.12: a checkpoint that ``weights_only=True`` refuses is silently loaded by the
unrestricted unpickler, which runs any code in it; the local backend writes straight into the final file, so that
a killed process leaves half a checkpoint under a good name; and a runner that loads one prints so, whatever its log
level.
"""

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import mmengine.runner.checkpoint as mmengine_checkpoint
import torch
from mmengine.fileio import LocalBackend, register_backend

from ..errors import UserError
from .safetensors_file import SUFFIX, read_safetensors

ATOMIC_BACKEND = "AtomicLocalBackend"


def write_atomically(data: bytes, path: str | Path) -> None:
    """Write ``data`` to ``path`` so that the file is either the old one or complete, even after SIGKILL."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two writers from sharing one temporary file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class AtomicLocalBackend(LocalBackend):
    """mmengine's local files, written completely or not at all."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write the bytes ``obj`` to ``filepath``."""
        write_atomically(obj, filepath)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write the text ``obj`` to ``filepath``."""
        write_atomically(obj.encode(encoding), filepath)


def load_weights_only(file: Any, map_location: Any = None, weights_only: bool = True) -> Any:
    """Load a checkpoint with PyTorch's restricted unpickler; there is no fallback.

    Args:
        file: path of, or open file with, a checkpoint; or path of a file of the model zoo, in safetensors.
        map_location: as in :func:`torch.load`.
        weights_only: takes the place of mmengine's argument; False is refused.

    Raises:
        UserError: the file is damaged, or holds objects whose loading may run code.
    """
    if weights_only is False:
        raise UserError(f"{file}: refusing to load a checkpoint without weights_only=True")
    if str(file).endswith(SUFFIX):
        return read_safetensors(file)
    try:
        with torch.serialization.safe_globals(mmengine_checkpoint.get_torch_safe_globals()):
            return torch.load(file, map_location=map_location, weights_only=True)
    except UnpicklingError as error:
        reason = str(error).split("WeightsUnpickler error:")[-1].strip().splitlines()[0]
        raise UserError(f"{file}: not a checkpoint of tensors and plain values ({reason})") from error
    except Exception as error:  # bytes that are no checkpoint break torch's unpickler in any way
        raise UserError(f"{file}: cannot be read as a checkpoint ({type(error).__name__}: {error})") from error


_load = mmengine_checkpoint.CheckpointLoader.load_checkpoint


def load_logged(filename: str, map_location: Any = None, logger: Any = None) -> dict:
    """Load a checkpoint as mmengine does, and tell the current logger so where no other is given."""
    return _load(filename, map_location, logger or "current")


def install() -> None:
    """Make mmengine load checkpoints safely and silently, and offer the atomic backend by :data:`ATOMIC_BACKEND`."""
    mmengine_checkpoint._safe_torch_load = load_weights_only
    mmengine_checkpoint.CheckpointLoader.load_checkpoint = staticmethod(load_logged)
    register_backend(ATOMIC_BACKEND, AtomicLocalBackend, force=True)
