"""A checkpoint on disk, read without running code from it."""

import re
from pathlib import Path

from torch import Tensor

from ..compat.mmengine_io import load_weights_only
from ..compat.torch_archive import check_archive
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


def find_intact_checkpoint(work_dir: str | Path) -> tuple[Path | None, str]:
    """The newest checkpoint in ``work_dir`` that is whole, and in one line what is wrong with newer ones.

    Only those are taken that are named as the one written last, with another number. All their bytes are compared with
    the checksums that torch.save writes.

    Raises:
        UserError: none is whole, or the note of the last one's name is damaged.
    """
    last = find_last_checkpoint(work_dir)
    if last is None:
        return None, ""
    wrong = []
    for path in [last, *_before(last)]:
        reason = _damage(path)
        if not reason:
            return path, "; ".join([*wrong, f"going on from {path.name}"]) if wrong else ""
        wrong.append(f"{path} {reason}")
    raise UserError(f"{'; '.join(wrong)}; no checkpoint before it is there: without --resume the training begins anew")


def _before(last: Path) -> list[Path]:
    """The checkpoints of the same kind with lower numbers, the highest first."""
    named = re.fullmatch(r"(.*?)(\d+)(\.\w+)", last.name)
    if named is None:
        return []
    kind = re.compile(re.escape(named[1]) + r"(\d+)" + re.escape(named[3]))
    found = [(int(match[1]), path) for path in last.parent.iterdir() if (match := kind.fullmatch(path.name))]
    return [path for number, path in sorted(found, reverse=True) if number < int(named[2])]


def _damage(path: Path) -> str:
    if not path.is_file():
        return "is not there"
    try:
        check_archive(str(path))
    except ValueError as error:
        return f"cannot be used: {error}"
    return ""


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
    if not isinstance(checkpoint.get("meta", {}), dict):
        raise UserError(f"{path}: not a checkpoint of mmengine, its 'meta' is no dict")
    return checkpoint


def check_resumable(checkpoint: dict, path: str | Path) -> None:
    """Check that a checkpoint says where in its training it was saved.

    Args:
        checkpoint: loaded from the file ``path``.

    Raises:
        UserError: it does not.
    """
    meta = checkpoint.get("meta", {})
    numbers = all(type(meta.get(key)) is int and meta[key] >= 0 for key in ("epoch", "iter"))
    logs = checkpoint.get("message_hub")
    if not numbers or not isinstance(logs, dict) or not {"log_scalars", "runtime_info", "resumed_keys"} <= {*logs}:
        raise UserError(f"{path}: cannot be resumed, it does not say where in its training it was saved")


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
    if name not in state:
        return "absent"
    return f"of shape {tuple(state[name].shape)}" if isinstance(state[name], Tensor) else "no tensor"
