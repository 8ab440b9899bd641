"""tools/download.py and tools/zoo.py on the command line."""

import pytest

from lwdna_mm.zoo import iterate_entries
from tests.call_tool import call

NAMES = [entry.name for entry in iterate_entries()]


def test_the_list_has_all_entries(capsys):
    call("download", "--list")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == NAMES


def test_a_file_is_copied(tmp_path, capsys):
    call("download", NAMES[0], "--out", tmp_path)
    (file,) = tmp_path.iterdir()
    assert capsys.readouterr().out.startswith(f"{file}: of configs/")


@pytest.mark.parametrize("arguments", [[], ["name", "--list"]])
def test_either_a_name_or_the_list(arguments):
    with pytest.raises(SystemExit):
        call("download", *arguments)


def test_the_repository_is_up_to_date(capsys):
    call("zoo", "--check")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--check", "add", "net", "work_dirs", "--command", "x"], "--check writes nothing, add does"),
        (["add", "net", "nowhere.json", "--command", "x"], "nowhere.json: no such file or folder"),
    ],
)
def test_what_cannot_be_added(arguments, said, capsys):
    with pytest.raises(SystemExit):
        call("zoo", *arguments)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("source", ["plan.json", "run"])
def test_a_plan_and_only_a_plan_needs_its_config(tmp_path, source, capsys):
    path = tmp_path / source
    if source == "run":
        path.mkdir()
    else:
        path.write_text("{}")
    given = ["--config", "resnet20_1xb128_cifar10"] if source == "run" else []
    with pytest.raises(SystemExit):
        call("zoo", "add", "net", path, "--command", "x", *given)
    assert "give --config with a plan.json, and only then" in capsys.readouterr().err
