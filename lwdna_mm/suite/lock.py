"""Keeping two processes out of one folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import UserError


@contextmanager
def locked(folder: Path, wait: bool = False) -> Iterator[None]:
    """Be the only one who works in a folder; the lock ends with its process, however that ends.

    Args:
        wait: whether to wait for the one who works there now.

    Raises:
        UserError: somebody else works there, and ``wait`` is False.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise UserError(f"{folder}: another process runs a suite there") from error
        yield
