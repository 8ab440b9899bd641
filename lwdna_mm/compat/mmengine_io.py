"""mmengine's reading and writing of checkpoints, made safe.

What is wrong in mmengine 0.10.12: a checkpoint that ``weights_only=True`` refuses is silently loaded by the
unrestricted unpickler, which runs any code in it; the local backend and a runner's copy of its config are written
straight into the final file, so that a killed process leaves half of it under a good name, and a link there is
followed; and a runner that loads a checkpoint prints so, whatever its log level.
"""

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import mmengine.runner.checkpoint as mmengine_checkpoint
import torch
from mmengine.dist import master_only
from mmengine.fileio import LocalBackend, register_backend
from mmengine.runner import Runner

from ..errors import UserError
from ..files import write_atomically
from .safetensors_file import SUFFIX, read_safetensors
from .torch_archive import check_archive

ATOMIC_BACKEND = "AtomicLocalBackend"


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
        check_archive(file)
    except ValueError as error:
        raise UserError(f"{file}: {error}") from error
    try:
        with torch.serialization.safe_globals(mmengine_checkpoint.get_torch_safe_globals()):
            return torch.load(file, map_location=map_location, weights_only=True)
    except UnpicklingError as error:
        reason = str(error).split("WeightsUnpickler error:")[-1].strip().splitlines()[0]
        raise UserError(f"{file}: not a checkpoint of tensors and plain values ({reason})") from error
    except Exception as error:  # bytes that are no checkpoint break torch's unpickler in any way
        raise UserError(f"{file}: cannot be read as a checkpoint ({type(error).__name__}: {error})") from error


@master_only
def dump_config(runner: Runner) -> None:
    """Write a runner's config into its work_dir, under the name of its file."""
    if runner.cfg.filename is not None:
        write_atomically(runner.cfg.dump().encode(), Path(runner.work_dir, Path(runner.cfg.filename).name))


_load = mmengine_checkpoint.CheckpointLoader.load_checkpoint


def load_logged(filename: str, map_location: Any = None, logger: Any = None) -> dict:
    """Load a checkpoint as mmengine does, and tell the current logger so where no other is given."""
    return _load(filename, map_location, logger or "current")


def install() -> None:
    """Make mmengine load checkpoints safely and silently and write configs atomically.

    It also offers the atomic backend by :data:`ATOMIC_BACKEND`.
    """
    Runner.dump_config = dump_config
    mmengine_checkpoint._safe_torch_load = load_weights_only
    mmengine_checkpoint.CheckpointLoader.load_checkpoint = staticmethod(load_logged)
    register_backend(ATOMIC_BACKEND, AtomicLocalBackend, force=True)
