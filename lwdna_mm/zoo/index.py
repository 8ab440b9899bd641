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
    for metafile in read_metafiles(ROOT).values():
        for model in metafile["Models"]:
            if "Weights" in model:
                yield _entry(model)


def read_metafiles(root: Path) -> dict[str, dict[str, Any]]:
    """The metafiles that ``model-index.yml`` names, by their paths below ``root``."""
    index = read_yaml(root / "model-index.yml")
    return {path: read_yaml(root / path) for path in index["Import"]}


def read_yaml(path: Path) -> dict[str, Any]:
    """A metafile or index.

    Raises:
        UserError: it is not there, or no YAML.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; is the package installed whole?")
    try:
        return yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise UserError(f"{path}: {error}") from error


def check_name(name: str) -> None:
    """Check that a name can be that of an entry and of its file: nothing that leads to another folder.

    Raises:
        UserError: it cannot.
    """
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name of an entry: letters, digits, '.', '_' and '-', no folders")


def _entry(model: dict[str, Any]) -> Entry:
    facts = model["Metadata"]
    file = Path(model["Weights"]).name
    check_name(file)
    return Entry(model["Name"], file, facts["SHA256"], facts["Size"], model["Config"], model)
