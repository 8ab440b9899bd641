"""docs/architecture.md says what is there."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def told() -> dict[str, set[str]]:
    """The modules of every folder in the page's tree."""
    tree = re.findall(r"```\n(.*?)```", PAGE, re.S)[-1]
    folders: dict[str, set[str]] = {}
    path: list[str] = []
    for line in tree.splitlines():
        opened = re.match(r"( *)(\w+)/", line)
        if opened:
            path = [*path[: len(opened[1]) // 2], opened[2]]
        names = line[opened.end() :] if opened else line
        folders.setdefault("/".join(path), set()).update(names.split())
    return folders


def test_the_tree_is_the_repositorys():
    files = [path.relative_to(ROOT) for top in ("lwdna_mm", "tools") for path in (ROOT / top).rglob("*.py")]
    there: dict[str, set[str]] = {str(path.parent): set() for path in files}
    for path in files:
        there[str(path.parent)].update({path.stem} - {"__init__"})
    assert told() == there


def test_every_room_has_its_tests():
    rooms = {folder.split("/")[1] for folder in told() if folder.startswith("lwdna_mm/")}
    tests = {path.name.removeprefix("test_") for path in (ROOT / "tests").glob("test_*/")}
    assert rooms <= tests
    assert tests - rooms == {"configs", "tools"}


def test_the_functions_exist():
    names = set(re.findall(r"`(lwdna_mm\.[\w.]+)`", PAGE))
    assert len(names) > 10
    for name in names:
        module, *attributes = re.match(r"([a-z_.0-9]+)\.(\w+)(?:\.(\w+))?$", name).groups()
        found = import_module(module)
        for attribute in filter(None, attributes):
            found = getattr(found, attribute)


def test_the_picture_has_the_floors_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == ["lwdna_mm"])
    there = [path.stem for path in (ROOT / "lwdna_mm").iterdir()]
    floors = [{name for name in re.findall(r"\w+", layer) if name in there} for layer in layers]
    picture = re.findall(r"```\n(.*?)```", PAGE, re.S)[0]
    drawn = [set(re.findall(r"\w+", line.split("   ")[0])) for line in picture.splitlines() if line[0] != " "]
    assert drawn == [{"tools"}, *filter(None, floors)]
