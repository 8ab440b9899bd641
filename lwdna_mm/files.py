"""Files that are written completely or not at all, and folders in which one process works at a time."""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import UserError

TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}  # of some network file systems
_held: set[int] = set()  # file descriptors of locks


def write_atomically(data: bytes, path: str | Path) -> None:
    """Write ``data`` to ``path`` so that the file is either the old one or complete, even after SIGKILL.

    A symbolic link there is replaced, not followed.

    Raises:
        OSError: the system refuses to; it names ``path``, which is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two writers from sharing one temporary file.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a killed process that had the same id
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        remove_if_there(temporary)
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def naming_path(path: str | Path) -> Iterator[None]:
    """Let errors of the system that name no file, as those of a full disk, name this one."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def read_text(path: str | Path) -> str:
    """The text of a file.

    Raises:
        UserError: it is no text.
        OSError: the system refuses to read it; it names the file.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no text in UTF-8, from byte {error.start} on") from error


def check_target(path: str | Path) -> None:
    """Check that a file can be written, before what will be in it is made; nothing is left there.

    Raises:
        UserError: there is a folder of this name, or the system refuses to write there.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give the name of a file")
    check_folder(path.absolute().parent, path)


def check_folder(folder: str | Path, target: str | Path | None = None) -> None:
    """Check that files can be written into a folder, which need not be there yet.

    Args:
        target: what an error names; by default the folder.

    Raises:
        UserError: it is a file, or the system refuses to write there.
    """
    target = target or folder
    there = next(place for place in (Path(folder).absolute(), *Path(folder).absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise UserError(f"{target}: cannot be written, {there}: {error.strerror}") from error


def remove_if_there(path: Path) -> None:
    """Remove a file; one that is not there, or in a folder that cannot be changed, is nothing to speak of."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def remove_others(folder: Path, kept: Path | None) -> None:
    """Remove what is in a folder, but for one path below it."""
    for path in folder.glob("*"):
        if kept is not None and path in kept.parents:
            remove_others(path, kept)
        elif path != kept:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def remove_orphans(folder: Path) -> None:
    """Remove the temporary files that killed processes have left in a folder, where nobody else works now."""
    for path in folder.glob(".*.tmp"):
        if TEMPORARY.fullmatch(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)


def refuse_linked_folders(folder: Path) -> None:
    """Check that whatever is written below a folder stays there; the folder itself may be a link.

    Raises:
        UserError: there is a link to a folder in it.
    """
    for parent, names, _ in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_symlink():
                raise UserError(f"{path} is a link to a folder, which would be written to: remove the link")


@contextmanager
def locked(folder: Path, wait: bool = False, name: str = "lock", stays: bool = True) -> Iterator[None]:
    """Be the only one who works in a folder; the lock ends with its process, however that ends.

    Args:
        wait: whether to wait for the one who works there now.
        name: of the file that is locked.
        stays: whether the file does.

    Raises:
        UserError: somebody else works there, and ``wait`` is False.
        OSError: the folder cannot be written to; it names the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    file = _open_and_lock(path, wait)
    while not _is_at(file, path):  # the one who was waited for has removed it
        _close(file)
        file = _open_and_lock(path, wait)
    try:
        yield
    finally:
        if file in _held and not stays:
            path.unlink()
        _close(file)


def _open_and_lock(path: Path, wait: bool) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    _held.add(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return file
        _close(file)
        if isinstance(error, BlockingIOError):
            message = f"{path.parent}: another process works there; wait for it, or take another folder"
            raise UserError(message) from error
        raise OSError(error.errno, error.strerror, str(path)) from error
    return file


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.lstat())
    except FileNotFoundError:
        return False


def _close(file: int) -> None:
    if file in _held:
        _held.remove(file)
        os.close(file)


def _let_go() -> None:
    """Close the locks' files in a process that was forked, such as a data loader's worker, which may outlive us."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go)
