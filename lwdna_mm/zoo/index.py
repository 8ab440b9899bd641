"""What the model zoo has: the entries of the metafiles, which lie with configs and tools in the package's ``.mim``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from ..errors import UserError

# As mm packages have it: links in a clone, copies in an installed package.
ROOT = Path(__file__).resolve().parents[1] / ".mim"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MOST_BYTES = 2**28  # of a file of the zoo, which is read at once


@dataclass(frozen=True)
class Entry:
    """A file of the zoo.

    Attributes:
        name: of the entry.
        file: its name below the zoo's address.
        sha256, size: of the file; the size in bytes.
        config: of the network, below the package's root, such as ``configs/classification/....py``.
        facts: all that its metafile says of it.
    """

    name: str
    file: str
    sha256: str
    size: int
    config: str
    facts: dict[str, Any]

    @property
    def config_path(self) -> Path:
        """The config in this installation."""
        return ROOT / self.config


def find_entry(name: str) -> Entry:
    """The entry of a name.

    Raises:
        UserError: there is none, or the name could be no name.
    """
    check_name(name)
    entries = {entry.name: entry for entry in iterate_entries()}
    if name not in entries:
        close = get_close_matches(name, entries, n=1)
        raise UserError(f"the zoo has no {name!r}; " + (f"did you mean {close[0]!r}?" if close else "see --list"))
    return entries[name]


def iterate_entries() -> Iterator[Entry]:
    """All entries, by metafile."""
    for path, metafile in read_metafiles(ROOT).items():
        for model in metafile["Models"]:
            if "Weights" in model:
                yield _entry(model, path)


def read_metafiles(root: Path) -> dict[str, dict[str, Any]]:
    """The metafiles that ``model-index.yml`` names, by their paths below ``root``.

    Raises:
        UserError: one is not there, lies elsewhere, or has no list of models.
    """
    index = read_yaml(root / "model-index.yml")
    metafiles = {}
    for path in _get(index, "Import", list, root / "model-index.yml"):
        if not _is_config(path, "yml"):
            raise UserError(f"{root / 'model-index.yml'}: Import names what is no metafile below configs")
        metafiles[path] = read_yaml(root / path)
        if not all(isinstance(model, dict) for model in _get(metafiles[path], "Models", list, root / path)):
            raise UserError(f"{root / path}: Models must be a list of mappings")
    return metafiles


def read_yaml(path: Path) -> dict[str, Any]:
    """A metafile or index.

    Raises:
        UserError: it is not there, or no mapping in YAML.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; is the package installed whole?")
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: no mapping of names")
    return content


def check_name(name: str) -> None:
    """Check that a name can be that of an entry and of its file: nothing that leads to another folder.

    Raises:
        UserError: it cannot.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of an entry: letters, digits, '.', '_' and '-', no folders")


def _entry(model: dict[str, Any], metafile: str) -> Entry:
    name = _get(model, "Name", str, metafile)
    check_name(name)
    where = f"{metafile}: {name}"
    file = Path(_get(model, "Weights", str, where)).name
    check_name(file)
    config = _get(model, "Config", str, where)
    if not _is_config(config, "py"):  # it will be executed
        raise UserError(f"{where}: Config names {config!r}, which is no config below configs")
    facts = _get(model, "Metadata", dict, where)
    sha256, size = _get(facts, "SHA256", str, where), _get(facts, "Size", int, where)
    if not 0 < size <= MOST_BYTES:
        raise UserError(f"{where}: Size is {size}, and must be between 1 and {MOST_BYTES}")
    return Entry(name, file, sha256, size, config, model)


def _get(mapping: dict[str, Any], key: str, kind: type, where: str | Path) -> Any:
    value = mapping.get(key)
    if type(value) is not kind:
        raise UserError(f"{where}: {key} must be a {kind.__name__}, and is a {type(value).__name__}")
    return value


def _is_config(path: Any, suffix: str) -> bool:
    """Whether it is the path of a file below ``configs``."""
    parts = path.split("/") if isinstance(path, str) else [""]
    return parts[0] == "configs" and path.endswith(f".{suffix}") and all(NAME.fullmatch(part) for part in parts)
