import errno
import hashlib
import random
import re
from pathlib import Path

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.zoo import download
from lwdna_mm.zoo.download import fetch
from lwdna_mm.zoo.index import Entry
from tests.zoo_server import corrupted, redirected, refused, serve, stalled, too_long, truncated, well, without_ranges

CONTENT = random.Random(0).randbytes(200_000)
ENTRY = Entry("net", "net.safetensors", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "configs/x.py", {})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.delenv("LWDNA_ZOO_URL", raising=False)


def get(server, folder: Path, **options) -> bytes:
    path = fetch(ENTRY, folder, server.address, **options)
    assert path == folder / ENTRY.file
    assert [file.name for file in folder.iterdir()] == [ENTRY.file]
    return path.read_bytes()


@pytest.mark.parametrize(
    "manners",
    [
        [well],
        [truncated, truncated, well],
        [corrupted, well],
        [refused(503), well],
        [truncated, without_ranges],
        [redirected, well],
        [too_long],
    ],
    ids=lambda manners: "-".join(getattr(manner, "__name__", "refused") for manner in manners),
)
def test_the_file_comes_whole_in_the_end(tmp_path, manners):
    with serve(CONTENT, *manners) as server:
        assert get(server, tmp_path) == CONTENT
        asked = len(server.ranges)
        assert get(server, tmp_path) == CONTENT
    assert len(server.ranges) == asked  # what is there is not fetched again


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "_write", full)
    with serve(CONTENT, well) as server, pytest.raises(OSError, match="No space left") as caught:
        fetch(ENTRY, tmp_path, server.address)
    assert caught.value.filename.startswith(str(tmp_path))
    assert caught.value.filename.endswith(".part")


def test_a_server_that_stalls_is_given_up_and_gone_on_from(tmp_path):
    with serve(CONTENT, stalled, well) as server:
        assert get(server, tmp_path, timeout=0.2) == CONTENT
    begun = int(re.fullmatch(r"bytes=(\d+)-", server.ranges[1])[1])
    assert 0 < begun <= len(CONTENT) // 2


def test_a_broken_transfer_is_gone_on_from_later(tmp_path):
    with serve(CONTENT, truncated) as server, pytest.raises(UserError, match=r"broke off; .*\.part keeps"):
        fetch(ENTRY, tmp_path, server.address)
    part = tmp_path / f"{ENTRY.file}.part"
    done = part.stat().st_size
    assert 0 < done < len(CONTENT)
    with serve(CONTENT, well) as server:
        assert get(server, tmp_path) == CONTENT
    assert server.ranges == [f"bytes={done}-"]


def test_what_another_file_has_left_is_no_beginning(tmp_path):
    (tmp_path / f"{ENTRY.file}.part").write_bytes(b"x" * (len(CONTENT) // 3))
    with serve(CONTENT, well) as server:
        assert get(server, tmp_path) == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT) // 3}-", None]


@pytest.mark.parametrize(
    ("manner", "message"),
    [
        (corrupted, "what came has another sha256 than the metafile says$"),
        (refused(404), "the server says 404 Not Found$"),
        (refused(503), "the server says 503 Service Unavailable$"),
        (redirected, "Exceeded 30 redirects"),
    ],
)
def test_failures_are_one_line_and_leave_nothing(tmp_path, manner, message):
    with serve(CONTENT, manner) as server, pytest.raises(UserError, match=message) as error:
        fetch(ENTRY, tmp_path, server.address)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_no_server_is_one_line(tmp_path):
    with serve(CONTENT, well) as server:
        address = server.address
    with pytest.raises(UserError, match=r"the server does not answer, or broke off$"):
        fetch(ENTRY, tmp_path, address)


@pytest.mark.parametrize("prefix", ["file://", ""])
def test_folders_serve_as_well(tmp_path, prefix, monkeypatch):
    there = tmp_path / "there"
    there.mkdir()
    (there / ENTRY.file).write_bytes(CONTENT)
    monkeypatch.setenv("LWDNA_ZOO_URL", f"{prefix}{there}")
    assert fetch(ENTRY) == there / ENTRY.file  # nothing is copied without need
    assert fetch(ENTRY, tmp_path / "here").read_bytes() == CONTENT
    (there / ENTRY.file).write_bytes(CONTENT[1:])
    with pytest.raises(UserError, match=r"net\.safetensors: its sha256 is not the one in the metafile"):
        fetch(ENTRY, tmp_path / "elsewhere")
    (there / ENTRY.file).unlink()
    with pytest.raises(UserError, match=r"net\.safetensors: no such file; LWDNA_ZOO_URL can name another place"):
        fetch(ENTRY)


def test_other_addresses_are_refused():
    with pytest.raises(UserError, match=r"LWDNA_ZOO_URL: ftp://x is neither http"):
        fetch(ENTRY, address="ftp://x")
