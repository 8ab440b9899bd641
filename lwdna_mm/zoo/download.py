"""Getting a file of the zoo: what a break leaves is gone on from, and nothing is used that is not the file."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import requests
import torch
from tqdm import tqdm

from ..errors import UserError
from ..files import locked, naming_path, write_atomically
from .index import ROOT, Entry

# Where the files are, if not beside the metafiles: http(s)://..., file://... or a folder.
ADDRESS = "LWDNA_ZOO_URL"
TRIES = 4
PAUSE = 0.3  # seconds before the second try, twice as long before the third, ...
CHUNK = 1 << 14


class _BrokenError(Exception):
    """A transfer that may succeed when it is tried again."""


def fetch(entry: Entry, folder: str | Path | None = None, address: str | None = None, timeout: float = 30) -> Path:
    """The path of an entry's file, after it has been fetched where that is needed, and checked.

    Args:
        entry: what to get.
        folder: where the file goes; by default a file that is on this machine stays where it is, and others go to
            ``lwdna_mm`` in torch.hub's folder.
        address: of the zoo; by default the environment's ``LWDNA_ZOO_URL``, or the copies in this installation.
        timeout: seconds without a byte after which a server is given up, until the next of four tries.

    Raises:
        UserError: the file cannot be had, or is not the one that the metafile describes.
    """
    address = address or os.environ.get(ADDRESS) or str(ROOT / "zoo")
    local = _local(address)
    if local is not None:
        source = local / entry.file
        _check_copy(entry, source)
        if folder is None:
            return source
        target = Path(folder, entry.file)
        write_atomically(source.read_bytes(), target)
        return target
    target = Path(folder or Path(torch.hub.get_dir(), "lwdna_mm"), entry.file)
    if not _is_whole(entry, target):
        with locked(target.parent, wait=True, name=f".{target.name}.lock", stays=False):
            if not _is_whole(entry, target):  # another process may have fetched it meanwhile
                _download(entry, f"{address.rstrip('/')}/{entry.file}", target, timeout)
    return target


def _local(address: str) -> Path | None:
    """The folder that an address is of, None if it is on a server."""
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return None
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    if "://" in address:
        raise UserError(f"{ADDRESS}: {address} is neither http(s)://..., file://... nor a folder")
    return Path(address)


def _check_copy(entry: Entry, source: Path) -> None:
    if not source.is_file():
        raise UserError(f"{source}: no such file; {ADDRESS} can name another place of the zoo")
    if not _is_whole(entry, source):
        raise UserError(f"{source}: its sha256 is not the one in the metafile, so it is not used")


def _download(entry: Entry, url: str, target: Path, timeout: float) -> None:
    part = target.with_name(f"{target.name}.part")
    if part.is_symlink():
        part.unlink()
    reason = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE * attempt)
        try:
            with _translated(url):
                _transfer(entry, url, part, timeout)
        except _BrokenError as error:
            reason = str(error)
            continue
        if _is_whole(entry, part):
            os.replace(part, target)
            return
        part.unlink()
        reason = "what came has another sha256 than the metafile says"
    kept = f"; {part} keeps what came, to go on from" if part.is_file() else ""
    raise UserError(f"{url}: {reason}{kept}")


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        raise _BrokenError("the server does not answer, or broke off") from error
    except UserError:
        raise
    except (requests.RequestException, ValueError) as error:  # a wrong address, a circle of redirections
        raise UserError(f"{url}: {error}") from error


def _transfer(entry: Entry, url: str, part: Path, timeout: float) -> None:
    """Bring ``part`` to the entry's size, from where it ends."""
    start = part.stat().st_size if part.is_file() else 0
    if start >= entry.size:  # what is whole but wrong has been deleted: this is another file's
        part.unlink()
        start = 0
    asked = {"Range": f"bytes={start}-"} if start else {}
    # No compression: ranges and sizes are those of the file.
    headers = {"Accept-Encoding": "identity", **asked}
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if response.status_code >= 500:
            raise _BrokenError(f"the server says {response.status_code} {response.reason}")
        if not response.ok:
            raise UserError(f"{url}: the server says {response.status_code} {response.reason}")
        goes_on = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        begin = start if response.status_code == 206 and goes_on else 0
        with naming_path(part), open(part, "r+b" if begin else "wb") as file:
            file.seek(begin)
            done = _write(entry, response, file, begin)
            file.truncate()
            os.fsync(file.fileno())
    if done < entry.size:
        raise _BrokenError(f"{done} of {entry.size} bytes came")


def _write(entry: Entry, response: requests.Response, file: BinaryIO, done: int) -> int:
    """Append what comes, and no more than the entry has; returns the size that is reached."""
    # disable=None: no bar where there is no terminal.
    with tqdm(
        total=entry.size, initial=done, unit="B", unit_scale=True, desc=entry.name, disable=None, leave=False
    ) as bar:
        for chunk in response.iter_content(CHUNK):
            chunk = chunk[: entry.size - done]
            file.write(chunk)
            done += len(chunk)
            bar.update(len(chunk))
            if done == entry.size:
                break
    return done


def _is_whole(entry: Entry, path: Path) -> bool:
    """Whether a file is the entry's; one of another size is not read."""
    if not path.is_file() or path.stat().st_size != entry.size:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
