"""Input that cannot be used, as rows of a table, and the one check that all of them get.

A row's command runs in a folder of good input, which the row spoils first. The tool must end with exit status 2 and
exactly one line, and the folder must be what it was before the command.
"""

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.call_tool import TOOLS, call

CONFIGS = TOOLS.parent / "configs"


@dataclass(frozen=True)
class Bad:
    """A row.

    Attributes:
        name: what is wrong.
        command: a tool and its arguments as in a shell, from within the folder; ``{c}`` is the folder of all configs.
        wanted: parts of the line, which says what is wrong where, and what would be right.
        spoil: changes the good folder.
        full: it takes long.
    """

    name: str
    command: str
    wanted: tuple[str, ...]
    spoil: Callable[[Path], object] = lambda folder: None
    full: bool = False


def table(*rows: Bad) -> Callable:
    """Parametrizes a test by rows, each of which is the argument ``bad``."""
    marked = [pytest.param(row, id=row.name, marks=[pytest.mark.full] if row.full else []) for row in rows]
    return pytest.mark.parametrize("bad", marked)


def check(bad: Bad, good: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture) -> None:
    """Run a row's command in a copy of ``good`` at ``folder``."""
    shutil.copytree(good, folder)
    monkeypatch.chdir(folder)
    bad.spoil(folder)
    before = contents(folder)
    tool, *arguments = shlex.split(bad.command.format(c=CONFIGS))
    capfd.readouterr()
    with pytest.raises(SystemExit) as end:
        call(tool, *arguments)
    told = capfd.readouterr()
    assert end.value.code == 2, told.err
    assert len(told.err.splitlines()) == 1, told.err
    assert told.err.startswith("error: ")
    assert "Traceback" not in told.err + told.out
    for part in bad.wanted:
        assert part in told.err, told.err
    after = contents(folder)
    assert after == before, [path for path in {**before, **after} if before.get(path, 0) != after.get(path, 0)]


def contents(folder: Path) -> dict[str, bytes | None]:
    """All below a folder: the bytes of files, None for folders."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


# Ways to spoil: each takes the folder last.


def _write(path: str, content: str | bytes, folder: Path) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)


def _remove(pattern: str, folder: Path) -> None:
    found = [*folder.glob(pattern)]
    assert found
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _cut(path: str, folder: Path) -> None:
    content = (folder / path).read_bytes()
    (folder / path).write_bytes(content[: len(content) // 2])


def _edit(path: str, old: str, new: str, folder: Path) -> None:
    text = (folder / path).read_text()
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1))


def _edit_json(path: str, changes: dict, folder: Path) -> None:
    content = json.loads((folder / path).read_text())
    (folder / path).write_text(json.dumps({**content, **changes}))


def _make_folder(path: str, folder: Path) -> None:
    (folder / path).mkdir(parents=True)


def write(path: str, content: str | bytes = "") -> Callable[[Path], None]:
    """Write a file, also in place of another."""
    return partial(_write, path, content)


def remove(pattern: str) -> Callable[[Path], None]:
    """Remove files or folders."""
    return partial(_remove, pattern)


def cut(path: str) -> Callable[[Path], None]:
    """Leave the first half of a file."""
    return partial(_cut, path)


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    """Replace the first ``old`` in a text."""
    return partial(_edit, path, old, new)


def edit_json(path: str, **changes: object) -> Callable[[Path], None]:
    """Change top-level keys of a JSON file."""
    return partial(_edit_json, path, changes)


def make_folder(path: str) -> Callable[[Path], None]:
    """Make an empty folder."""
    return partial(_make_folder, path)


def both(*spoils: Callable[[Path], object]) -> Callable[[Path], None]:
    """One after the other."""

    def spoil(folder: Path) -> None:
        for one in spoils:
            one(folder)

    return spoil
