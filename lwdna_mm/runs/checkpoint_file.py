"""A checkpoint on disk, read without running code from it."""

from pathlib import Path

from ..compat.mmengine_io import load_weights_only
from ..errors import UserError

LAST_CHECKPOINT = "last_checkpoint"


def find_last_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint that a run in ``work_dir`` wrote last, also after the folder has been moved or copied.

    Raises:
        UserError: the note of its name is damaged.
    """
    note = Path(work_dir, LAST_CHECKPOINT)
    if not note.is_file():
        return None
    name = Path(note.read_text(errors="replace").strip()).name
    if not name:
        raise UserError(f"{note} is empty: write the name of the checkpoint to go on from into it, or delete it")
    return note.with_name(name)


def load_checkpoint_file(path: str | Path) -> dict:
    """Load a checkpoint to the CPU without running code from it.

    Raises:
        UserError: the file is not there, cannot be read, or is no checkpoint of a model.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such checkpoint")
    checkpoint = load_weights_only(path, map_location="cpu")
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("state_dict"), dict):
        raise UserError(f"{path}: not a checkpoint of mmengine, it has no 'state_dict'")
    return checkpoint


def check_fits(state: dict, path: str | Path, wanted: dict) -> None:
    """Check that a state dict has exactly the tensors of a model.

    Args:
        state: from the file ``path``.
        wanted: the model's own ``state_dict()``.

    Raises:
        UserError: naming the first tensor that is missing, too many, or of another shape.
    """
    for name in [*wanted, *state]:
        here, there = _describe(wanted, name), _describe(state, name)
        if here != there:
            raise UserError(f"{path} is of another network: {name} is {there} there and {here} here")


def _describe(state: dict, name: str) -> str:
    return f"of shape {tuple(state[name].shape)}" if name in state else "absent"
