"""Files that pretend to be checkpoints: none runs code, takes much memory, or is taken for what it is not."""

import io
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from lwdna_mm.compat.torch_archive import MOST_LISTED, MOST_OPCODES, check_archive
from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file

GIB = 2**30


def name(module: str, what: str) -> bytes:
    return f"c{module}\n{what}\n".encode()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    data = pickle.encode_long(value)
    return b"\x8a" + bytes([len(data)]) + data


def call(function: bytes, *args: bytes) -> bytes:
    return function + b"(" + b"".join(args) + b"tR"


def storage(count: int) -> bytes:
    return b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + number(count) + b"tQ"


def tensor(count: int, size: int, stride: int) -> bytes:
    hooks = call(name("collections", "OrderedDict"))
    one = [storage(count), number(0), b"(" + number(size) + b"t", b"(" + number(stride) + b"t", b"\x89", hooks]
    return call(name("torch._utils", "_rebuild_tensor_v2"), *one)


def checkpoint(value: bytes) -> bytes:
    """The pickle of dict(state_dict={}, payload=value)."""
    return b"\x80\x02}(" + text("state_dict") + b"}" + text("payload") + value + b"u."


def by_getattr(code: str) -> bytes:
    """Builtins become attributes of a history, by which it is asked to set its state, and does what it is told."""
    history = name("mmengine.logging.history_buffer", "HistoryBuffer") + b")\x81"
    function = name("torch._utils", "_rebuild_tensor_v2")
    reached = history + call(name("__builtin__", "getattr"), function, text("__builtins__")) + b"b"
    execute = call(name("__builtin__", "getattr"), reached, text("exec"))
    return history + b"}" + text("__setstate__") + execute + b"s" + b"b" + text(code) + b"b"


def hex_of_hex(times: int) -> bytes:
    """Twice as long each time."""
    value = call(name("_codecs", "encode"), text("x" * 16), text("latin1"))
    for _ in range(times):
        value = call(name("_codecs", "encode"), value, text("hex"))
    return value


CODE = "open({ran!r}, 'w')"
ARRAY = name("numpy._core.multiarray", "_reconstruct")
REFUSED = {
    "a function of Python": call(name("__builtin__", "eval"), text(CODE)),
    "a command of the shell": call(name("posix", "system"), text("touch {ran}")),
    "getattr": by_getattr(CODE),
    "getattr on a module's function": call(
        name("__builtin__", "getattr"), name("torch._utils", "_rebuild_tensor"), text("__globals__")
    ),
    "a class of ours": call(name("lwdna_mm.channels.plan", "ChannelPlan"), b"}"),
    "an array of bytes": call(name("__builtin__", "bytearray"), number(4 * GIB)),
    "an array of NumPy": call(ARRAY, name("numpy", "ndarray"), b"(" + number(GIB) + b"t", text("b")),
    "a bare array": call(name("numpy", "ndarray"), number(GIB)),
    "a bare tensor": call(name("torch", "FloatTensor"), number(GIB)),
    "a bare storage": call(name("torch", "FloatStorage"), number(GIB)),
    "a text that grows": hex_of_hex(28),
    "data that is not there": tensor(GIB, GIB, 1),
    "one number as a thousand million": tensor(4, 10**9, 0),
    "many lists": b"]" * (MOST_OPCODES + 1),
    "many lists in lists": b"]" * 900_000 + b"a" * 899_999 + b"]" * MOST_OPCODES,
    "an opcode that checkpoints lack": b"\x97",
    "a cut pickle": b"X\xff\xff\xff\xff",
    "a place far away": b"r\xff\xff\xff\xff" + b"r\xff\xff\xff\x7f",
}


def write(path: Path, content: bytes, compression: int = zipfile.ZIP_STORED, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", bytes(16))
        archive.writestr("archive/version", "3\n")
        for key, value in more.items():
            archive.writestr(f"archive/{key.replace('_', '.')}", value)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All of the hostile files."""
    folder = tmp_path_factory.mktemp("hostile")
    ran = str(folder / "ran")
    for number_, (about, value) in enumerate(REFUSED.items()):
        value = value.replace(text(CODE), text(CODE.format(ran=ran))).replace(text("touch {ran}"), text(f"touch {ran}"))
        write(folder / f"{number_:02d} {about}.pth", checkpoint(value) if value[:1] != b"X" else value)
    plain = checkpoint(b"N")
    write(folder / "compressed.pth", plain, zipfile.ZIP_DEFLATED, bomb=bytes(2**26))
    write(folder / "twice.pth", plain, DATA_PKL=checkpoint(by_getattr(CODE.format(ran=ran))))
    write(folder / "overlapping.pth", plain)
    with zipfile.ZipFile(folder / "overlapping.pth", "a") as archive:
        big = archive.filelist[2]
        for index in range(1, 50):
            again = zipfile.ZipInfo(f"archive/data/{index}")
            again.header_offset, again.file_size, again.compress_size, again.CRC = big.header_offset, 16, 16, big.CRC
            archive.filelist.append(again)
        archive.writestr("archive/end", "")
    listed = MOST_LISTED // 46 + 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFE, 0xFFFE, 46 * listed, 0, 0)
    (folder / "many members.pth").write_bytes((b"PK\1\2" + bytes(42)) * listed + end)
    torch.save(dict(state_dict={}), folder / "legacy.pth", _use_new_zipfile_serialization=False)
    (folder / "script.pth").write_bytes(b"print('no checkpoint')\n" * 100)
    (folder / "empty.pth").touch()
    return folder


def test_the_helpers_write_what_they_should(tmp_path):
    """The same pickles, harmless, are loaded: it is not for a slip of the helpers that the others are not."""
    write(tmp_path / "fine.pth", checkpoint(tensor(4, 2, 2)))
    assert load_checkpoint_file(tmp_path / "fine.pth")["payload"].tolist() == [0, 0]
    write(tmp_path / "fine.pth", checkpoint(hex_of_hex(0)))
    assert load_checkpoint_file(tmp_path / "fine.pth")["payload"] == b"x" * 16


def test_mmengines_own_unpickler_would_run_code(tmp_path):
    """Why the look beforehand is needed: the day this fails, it may be let go."""
    from mmengine.runner.checkpoint import get_torch_safe_globals

    write(tmp_path / "x.pth", checkpoint(by_getattr(f"open({str(tmp_path / 'ran')!r}, 'w')")))
    with torch.serialization.safe_globals(get_torch_safe_globals()):
        torch.load(tmp_path / "x.pth", weights_only=True)
    assert (tmp_path / "ran").exists()


def test_all_are_refused_in_little_memory(folder):
    """In a process of its own, whose memory is seen from outside."""
    program = """
import resource, sys
from pathlib import Path
from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
paths = sorted(Path(sys.argv[1]).glob("*.pth"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in paths:
    try:
        load_checkpoint_file(path)
        print("LOADED", path.name)
    except UserError as error:
        print(str(error).replace("\\n", "NEWLINE"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", program, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *told, kibibytes = done.stdout.splitlines()
    assert len(told) == len([*folder.glob("*.pth")])
    for path, line in zip(sorted(folder.glob("*.pth")), told, strict=True):
        assert line.startswith(f"{path}: "), line
        assert "NEWLINE" not in line
    assert int(kibibytes) * 1024 < GIB / 2
    assert not (folder / "ran").exists()


def test_every_flipped_bit_is_found_or_does_no_harm(tmp_path):
    state = dict(weight=torch.arange(40.0), history=HistoryBuffer([1.0, 2.0], [1, 1]), scalar=np.float64(2.5))
    saved = io.BytesIO()
    torch.save(dict(state_dict=state), saved)
    whole = saved.getvalue()
    check_archive(io.BytesIO(whole))
    generator, found = np.random.default_rng(0), 0
    for place in generator.choice(len(whole) * 8, 300, replace=False):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        (tmp_path / "x.pth").write_bytes(flipped)
        try:
            loaded = load_checkpoint_file(tmp_path / "x.pth")["state_dict"]
        except UserError:
            found += 1
        else:
            assert torch.equal(loaded["weight"], state["weight"])
            assert (loaded["history"].data[0] == [1.0, 2.0]).all()
    assert found > 30
    for length in range(0, len(whole), 97):
        (tmp_path / "x.pth").write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"x\.pth"):
            load_checkpoint_file(tmp_path / "x.pth")
