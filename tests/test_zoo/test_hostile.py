"""Indices, servers and folders that mean harm: nothing runs, is written elsewhere, or takes much memory."""

import gzip
import hashlib
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from lwdna_mm.errors import UserError
from lwdna_mm.zoo import download, index, load
from lwdna_mm.zoo.download import fetch
from lwdna_mm.zoo.index import Entry, iterate_entries
from tests.memory import at_most
from tests.zoo_server import corrupted, endless, redirected_to, saying, serve, well

GIB = 2**30
CONTENT = random.Random(0).randbytes(100_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ENTRY = Entry("net", "net.safetensors", SHA256, len(CONTENT), "configs/x.py", {})
RAN = "open('ran', 'w').close()"
BOMB = "&a0 [x, x]" + "".join(f", &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))


def metafile(**changes) -> str:
    facts = dict(SHA256=SHA256, Size=len(CONTENT), FLOPs=1)
    model = dict(Name="net", Config="configs/x.py", Weights="zoo/net.safetensors", Metadata=facts)
    facts.update({key: changes.pop(key) for key in [*changes] if key in facts})
    return yaml.safe_dump(dict(Models=[{**model, **changes}]))


METAFILES = {
    "a config above": metafile(Config="../evil.py"),
    "a config above, later": metafile(Config="configs/../../evil.py"),
    "a config anywhere": metafile(Config="/tmp/evil.py"),
    "a config on a server": metafile(Config="http://127.0.0.1/evil.py"),
    "a config that is none": metafile(Config="configs/x.py;evil"),
    "a name that is a path": metafile(Name="../net"),
    "a name that is a list": metafile(Name=["net"]),
    "a file that is a folder": metafile(Weights="zoo/.."),
    "a file without a name": metafile(Weights="/"),
    "a hidden file": metafile(Weights="zoo/.bashrc"),
    "no text for a sum": metafile(SHA256=7),
    "a size below nothing": metafile(Size=-1),
    "a size beyond memory": metafile(Size=2**60),
    "no whole number for a size": metafile(Size="1e3"),
    "no facts": metafile(Metadata=None),
    "no models": "Models: 7",
    "models that are none": "Models: [7]",
    "nothing": "",
    "a call": f'Models: !!python/object/apply:builtins.exec ["{RAN}"]',
    "names of names": f"Models: [{BOMB}]",
    "names of names for a name": f"Models: [{{Weights: x, Name: [{BOMB}]}}]",
    "lists in lists": "Models: " + "[" * 400,
    "bytes": "Models: \\xff\\0",
}
INDICES = {
    "above": "Import: [../metafile.yml]",
    "above, later": "Import: [configs/../../metafile.yml]",
    "anywhere": "Import: [/tmp/metafile.yml]",
    "on a server": "Import: ['http://127.0.0.1/metafile.yml']",
    "of a list": "Import: [[configs/metafile.yml]]",
    "of a number": "Import: 7",
    "of nothing": "",
}


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A zoo in a folder of its own, with evil around it."""
    root = tmp_path / "root"
    (root / "configs").mkdir(parents=True)
    (root / "model-index.yml").write_text("Import: [configs/metafile.yml]")
    (tmp_path / "evil.py").write_text(RAN)
    (tmp_path / "metafile.yml").write_text(metafile(Config="../evil.py"))
    monkeypatch.setattr(index, "ROOT", root)
    monkeypatch.chdir(tmp_path)
    return root


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0)
    monkeypatch.delenv("LWDNA_ZOO_URL", raising=False)


def refuse(root: Path) -> None:
    with at_most(GIB // 4), pytest.raises(UserError) as error:
        load("net")
    assert len(str(error.value)) < 2000
    assert not (root.parent / "ran").exists()


def test_the_plain_index_is_read(root):
    (root / "configs/metafile.yml").write_text(metafile())
    assert [entry.file for entry in iterate_entries()] == ["net.safetensors"]


@pytest.mark.parametrize("about", METAFILES)
def test_metafiles(root, about):
    (root / "configs/metafile.yml").write_text(METAFILES[about])
    refuse(root)


@pytest.mark.parametrize("about", INDICES)
def test_indices(root, about):
    (root / "configs/metafile.yml").write_text(metafile())
    (root / "model-index.yml").write_text(INDICES[about])
    refuse(root)


def bomb(times: int) -> bytes:
    """Many zeros, packed again and again."""
    packed = gzip.compress(bytes(2**26))
    for _ in range(times - 1):
        packed = gzip.compress(packed)
    return packed


SERVERS = {
    "another file": corrupted,
    "no end": endless,
    "a length beyond all files": saying(CONTENT[:-1] + b"x", Content_Length=str(2**62)),
    "no number for a length": saying(CONTENT[:-1] + b"x", Content_Length="many"),
    "a range that was not asked for": saying(CONTENT[:-1] + b"x", 206, Content_Range="bytes 999999999999-/*"),
    "zeros, packed": saying(bomb(1), Content_Encoding="gzip"),
    "zeros, packed twice": saying(bomb(2), Content_Encoding="gzip, gzip"),
    "no packing": saying(CONTENT, Content_Encoding="gzip"),
    "the way to a file here": redirected_to("file:///etc/passwd"),
    "the way to nowhere": redirected_to("http://[::bad"),
    "a header beyond all headers": saying(b"", X="x" * 2**20),
    "many headers": saying(b"", **{f"X_{i}": "x" for i in range(1000)}),
}


@pytest.mark.parametrize("about", SERVERS)
def test_servers(tmp_path, about):
    with (
        serve(CONTENT, SERVERS[about]) as server,
        at_most(GIB // 4),
        pytest.raises(UserError, match="http://127") as error,
    ):
        fetch(ENTRY, tmp_path, server.address, timeout=5)
    assert "\n" not in str(error.value)
    left = [*tmp_path.iterdir()]
    assert {path.name for path in left} <= {f"{ENTRY.file}.part"}
    assert sum(path.stat().st_size for path in left) < len(CONTENT)


def test_a_redirection_to_another_server_is_held_to_the_same_sum(tmp_path):
    for manner, right in ((well, True), (corrupted, False)):
        with serve(CONTENT, manner) as other, serve(CONTENT, redirected_to(f"{other.address}/x")) as server:
            if right:
                assert fetch(ENTRY, tmp_path, server.address).read_bytes() == CONTENT
                (tmp_path / ENTRY.file).unlink()
            else:
                with pytest.raises(UserError, match="another sha256"):
                    fetch(ENTRY, tmp_path, server.address)


@pytest.mark.parametrize("name", ["{file}", "{file}.part", ".{file}.{process}.tmp"])
@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to nothing"])
def test_links_in_the_folder_are_not_written_through(tmp_path, name, there):
    secret, folder = tmp_path / "secret", tmp_path / "folder"
    folder.mkdir()
    if there:
        secret.write_bytes(b"kept")
    (folder / name.format(file=ENTRY.file, process=os.getpid())).symlink_to(secret)
    with serve(CONTENT, well) as server:
        fetch(ENTRY, folder, server.address)
    (tmp_path / ENTRY.file).write_bytes(CONTENT)
    fetch(ENTRY, folder, str(tmp_path))
    assert not (folder / ENTRY.file).is_symlink()
    assert (folder / ENTRY.file).read_bytes() == CONTENT
    assert secret.exists() == there
    assert not there or secret.read_bytes() == b"kept"


def test_a_link_for_the_lock_is_refused(tmp_path):
    (tmp_path / f".{ENTRY.file}.lock").symlink_to(tmp_path / "secret")
    with serve(CONTENT, well) as server, pytest.raises(OSError, match=r"\.lock"):
        fetch(ENTRY, tmp_path, server.address)
    assert not (tmp_path / "secret").exists()


def test_a_file_too_long_to_be_the_one_is_not_read(tmp_path):
    with open(tmp_path / ENTRY.file, "wb") as file:
        file.truncate(4 * GIB)
    with at_most(GIB // 4), pytest.raises(UserError, match="its sha256 is not the one in the metafile"):
        fetch(ENTRY, address=str(tmp_path))


def test_two_who_fetch_one_file_do_it_once(tmp_path):
    with serve(CONTENT, well) as server, ThreadPoolExecutor() as pool:
        found = [*pool.map(lambda _: fetch(ENTRY, tmp_path, server.address), range(4))]
    assert set(found) == {tmp_path / ENTRY.file}
    assert len(server.ranges) == 1
    assert [path.name for path in tmp_path.iterdir()] == [ENTRY.file]
