"""A look into a file of torch.save before it is loaded: is it whole, and is it only tensors and plain values?

What is wrong in torch 2.14 and mmengine 0.10.12: torch's reader does not compare the checksums that torch.save writes,
so that a flipped bit becomes a weight, and it takes the length of a tensor's data from the pickle, beyond the data's
end. Its restricted unpickler lets a few bytes ask for any amount of memory, and mmengine adds ``getattr`` to what it
may call, by which a pickle reaches every function of Python.
"""

import math
import pickle
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, BinaryIO

import torch

# In the order of torch._weights_only_unpickler.Unpickler.load, which knows no others.
_OPCODES = (
    *(pickle.GLOBAL, pickle.NEWOBJ, pickle.REDUCE, pickle.BUILD, pickle.APPEND, pickle.APPENDS, pickle.SETITEM),
    *(pickle.SETITEMS, pickle.MARK, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.NONE),
    *(pickle.NEWFALSE, pickle.NEWTRUE, pickle.EMPTY_TUPLE, pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.EMPTY_SET),
    *(pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.BINFLOAT, pickle.BINUNICODE, pickle.SHORT_BINSTRING),
    *(pickle.BINPERSID, pickle.BINGET, pickle.LONG_BINGET, pickle.BINPUT, pickle.LONG_BINPUT, pickle.LONG1),
    *(pickle.PROTO, pickle.STOP),
)
# Bytes of the list of an archive's members, some eighty for each tensor; in memory they are many more.
MOST_LISTED = 2**24
# A tensor takes some forty of them, and each may take sixty bytes of memory.
MOST_OPCODES = 2_000_000
_HISTORY = "mmengine.logging.history_buffer.HistoryBuffer"
_NUMPY = [f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")]
_ITEMS = {
    **dict(ByteStorage=1, CharStorage=1, BoolStorage=1, UntypedStorage=1, ShortStorage=2, HalfStorage=2),
    **dict(BFloat16Storage=2, IntStorage=4, FloatStorage=4, LongStorage=8, DoubleStorage=8, ComplexFloatStorage=8),
    **dict(ComplexDoubleStorage=16),
}
_GLOBALS = {
    *("collections.OrderedDict", "collections.Counter", "__builtin__.set", "builtins.set", "builtins.complex"),
    *("__builtin__.complex", "__builtin__.slice", "builtins.slice", "_codecs.encode", _HISTORY, "numpy.ndarray"),
    *("__builtin__.getattr", "builtins.getattr", "numpy.dtype", "torch.Size", "torch.device", *_NUMPY),
    *("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"),
    *(f"torch.{name}" for name, value in vars(torch).items() if isinstance(value, torch.dtype)),
}


class _RefusedError(Exception):
    """Says why a pickle is refused."""


def check_archive(file: str | BinaryIO) -> None:
    """Check a file of torch.save without loading it.

    Args:
        file: its path, or the file opened, which is left at its beginning.

    Raises:
        ValueError: it is damaged, or no plain checkpoint; the message says in what way.
        OSError: it cannot be read.
    """
    try:
        with nullcontext(file) if hasattr(file, "seek") else open(file, "rb") as stream, _open(stream) as archive:
            _check_members(archive)
            root = archive.namelist()[0].split("/")[0]
            sizes = {one.filename.removeprefix(f"{root}/data/"): one.file_size for one in archive.infolist()}
            with archive.open(f"{root}/data.pkl") as content:
                _Inspector(content, sizes).load()
    except zipfile.BadZipFile as error:
        raise ValueError("it is cut, or not written by torch.save (of PyTorch 1.6 or later)") from error
    except _RefusedError as error:
        raise ValueError(f"not a checkpoint of tensors and plain values ({error})") from error
    except OSError:
        raise
    except Exception as error:  # bytes that are no pickle break an unpickler in any way
        raise ValueError(f"damaged ({type(error).__name__}: {error})") from error
    finally:
        if hasattr(file, "seek"):
            file.seek(0)


def _open(stream: BinaryIO) -> zipfile.ZipFile:
    """The archive, whose list of members is read by this."""
    end = zipfile._EndRecData(stream)
    if end is not None and end[zipfile._ECD_SIZE] > MOST_LISTED:
        raise _RefusedError("it has far too many members")
    return zipfile.ZipFile(stream)


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    names = [one.filename.lower() for one in members]  # the case does not count for torch
    if not names or any(one.split("/")[0] != names[0].split("/")[0] for one in names) or len({*names}) < len(names):
        raise _RefusedError("it has other members than those of torch.save")
    length, content = archive.fp.seek(0, 2), sum(one.file_size for one in members)
    if content > length or any(one.compress_type != zipfile.ZIP_STORED for one in members):
        raise _RefusedError("it is compressed, which torch.save does not do")
    damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(damaged)


class _Named:
    """Stands for something that a pickle names; it can be called, and made an instance of."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any) -> "_Made":
        return _Made(self, args)


class _Made:
    """Stands for what a pickle makes of something named; it takes in everything and keeps nothing."""

    def __init__(self, maker: _Named, args: tuple) -> None:
        self.maker, self.args = maker, args
        _check_call(maker.name, args)

    def __setstate__(self, state: Any) -> None:
        parts = [part for part in (state if isinstance(state, tuple) else [state]) if isinstance(part, dict)]
        if isinstance(state, _Made) or any(str(key)[:2] == "__" for part in parts for key in part):
            raise _RefusedError(f"it changes what a {self.maker.name} does")

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Nothing here is a list."""
        raise _RefusedError(f"a {self.maker.name} is no list")

    extend = append


class _Inspector(pickle._Unpickler):
    """Goes through a pickle without importing, making or calling anything of it.

    Args:
        file: of the pickle.
        sizes: of the archive's members in bytes, those with a tensor's data by their key.
    """

    def __init__(self, file: BinaryIO, sizes: dict[str, int]) -> None:
        super().__init__(file, fix_imports=False, encoding="utf-8")
        self.sizes = sizes
        known = {code[0]: pickle._Unpickler.dispatch[code[0]] for code in _OPCODES}
        self.dispatch = _Counted(known | {pickle.NEWOBJ[0]: _Inspector.load_reduce})

    def find_class(self, module: str, name: str) -> _Named:
        """Let pass what checkpoints are made of."""
        full = f"{module}.{name}"
        if full not in _GLOBALS and _item_size(full) is None and not full.startswith("numpy.dtypes."):
            raise _RefusedError(f"it asks for {full}")
        return _Named(full)

    def persistent_load(self, pid: Any) -> _Made:
        """Compare the length of a tensor's data with what there is of it."""
        _, kind, key, _, count = pid
        item = _item_size(kind.name)
        if item is None or type(count) is not int or self.sizes.get(key) != count * item:
            raise _RefusedError(f"the data {key!r} of a tensor is not as long as it says")
        return _Made(_Named("storage"), (count,))


class _Counted(dict):
    """What each opcode does, handed out only so often."""

    left = MOST_OPCODES

    def __getitem__(self, code: int) -> Callable:
        self.left -= 1
        if self.left < 0 or code not in self:
            raise _RefusedError("it is far too long" if self.left < 0 else f"opcode {code}")
        return super().__getitem__(code)


def _check_call(name: str, args: tuple) -> None:
    """Let pass what pickles of tensors, arrays and mmengine's histories call."""
    what = name.rpartition(".")[2]
    if what == "getattr":
        fine = len(args) == 2 and getattr(args[0], "name", None) == _HISTORY and str(args[1])[:2] != "__"
    elif what == "encode":
        fine = len(args) == 2 and args[1] == "latin1"  # others make much of little
    elif what == "_reconstruct":
        fine = args[1] == (0,)
    elif what in ("_rebuild_tensor", "_rebuild_tensor_v2"):
        (count,) = args[0].args
        fine = all(type(side) is int and side >= 0 for side in args[2]) and math.prod(args[2]) <= count
    else:
        fine = what != "ndarray" and _item_size(name) is None
    if not fine:
        raise _RefusedError(f"it asks for {name}{args!r:.60}")


def _item_size(name: str) -> int | None:
    """The bytes of an element of a storage such as ``torch.FloatStorage``; None for anything else."""
    module, _, last = name.rpartition(".")
    return _ITEMS.get(last) if module in ("torch", "torch.storage") else None
