"""Suites and their files that cannot be used."""

from pathlib import Path

import pytest

from tests.bad_input import CONFIGS, Bad, table, write

TWIN = str(CONFIGS / "classification" / "resnet8_lwdna_1xb32_digits.py")
METRIC, ARMS = "metric = 'accuracy/top1'\n", "arms = dict(a=dict())\n"
TASKS = f"tasks = dict(t=dict(config={TWIN!r}, arms=dict(a=1)))\n"
RUN = "suite run suite.py"


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    (folder / "suite.py").write_text(METRIC + ARMS + TASKS)
    (folder / "file").write_text("text")
    return folder


def suite(name: str, text: str, *wanted: str) -> Bad:
    return Bad(name, RUN, wanted, write("suite.py", text))


def task(given: str) -> str:
    return f"{METRIC}{ARMS}tasks = dict(t={given})\n"


def arm(given: str) -> str:
    return f"{METRIC}arms = dict(a={given})\n{TASKS}"


ROWS = [
    Bad("none", "suite run none.py", ("none.py: no such suite",)),
    Bad("no command", "suite", ("required: COMMAND",)),
    Bad("no jobs", f"{RUN} --jobs 0", ("--jobs: '0' is no whole number 1 or more",)),
    Bad("negative threads", f"{RUN} --threads -1", ("--threads: '-1' is no whole number 1 or more",)),
    Bad("an unknown executor", f"{RUN} --executor cloud", ("invalid choice: 'cloud'", "'ray'")),
    Bad("only what there is not", f"{RUN} --only t/b", ("--only t/b: did you mean 't/a'",)),
    Bad("a file to work in", f"{RUN} --work-dir file", ("file: File exists",)),
    Bad("no report without records", "suite report suite.py", ("records.jsonl: no run is done yet; begin with `run`",)),
    Bad(
        "nested records", f"{RUN} --records deep", ("deep, line 1: maximum recursion depth",), write("deep", "[" * 9**5)
    ),
    Bad("damaged records", f"{RUN} --records file", ("file, line 1: Expecting value",)),
    suite("syntax", "tasks = (", "suite.py: SyntaxError: '(' was never closed"),
    suite("a name", "tasks = x", "line 1 of", "NameError: name 'x' is not defined"),
    suite("no metric", ARMS + TASKS, "suite.py: 'metric' is missing"),
    suite("a number for the metric", "metric = 3\n" + ARMS + TASKS, "'metric' is 3, but must be a string"),
    suite("a list of tasks", METRIC + ARMS + "tasks = []\n", "'tasks' is [], but must be a dict"),
    suite("a list of arms", METRIC + "arms = []\n" + TASKS, "'arms' is [], but must be a dict"),
    suite("a number for a task", task("3"), "tasks['t'] must be a dict, not 3"),
    suite("a number for a config", task("dict(config=3, arms=dict(a=1))"), "tasks['t']: 'config' is 3", "a string"),
    suite("no such config", task("dict(config='b.py', arms=dict(a=1))"), "b.py does not exist"),
    suite("a list of a task's arms", task(f"dict(config={TWIN!r}, arms=['a'])"), "'arms' is ['a'], but must be a dict"),
    suite("an unknown arm", task(f"dict(config={TWIN!r}, arms=dict(b=1))"), "has 'b': known are a"),
    suite("no runs", task(f"dict(config={TWIN!r}, arms=dict(a=0))"), "is 0, but must be the number of runs, 1 or more"),
    suite("an arm that is none", arm("3"), "arms['a'] must be a dict, not 3"),
    suite("a list of options", arm("dict(options=[])"), "arms['a']: 'options' is [], but must be a dict"),
    suite("an unknown option", arm("dict(options={'lwdna.widne': 2})"), "arms['a']", "did you mean 'widen'"),
    suite(
        "an argument that a criterion does not take",
        arm("dict(options={'lwdna.shrink.criterion': dict(type='UniformCriterion', tilt=1)})"),
        "arms['a']: unknown key 'tilt' of criterion UniformCriterion",
    ),
    suite("equal to a word", arm("dict(equal='flops')"), "arms['a']: 'equal' is 'flops', but must be a dict"),
    suite("equal to an unknown arm", arm("dict(equal=dict(flops='z'))"), "arms['a'] follows 'z': known are a"),
    suite("equal in an unknown measure", arm("dict(equal=dict(flop='a'))"), "has 'flop': did you mean 'flops'"),
    suite("an unknown planner", arm("dict(planner='torch')"), "planner is 'torch': did you mean 'torch-pruning'"),
    suite("tuned without a grid", arm("dict(tuned=True)"), "'a' is tuned, so the suite needs a grid and a select"),
    suite("a grid of numbers", METRIC + ARMS + TASKS + "grid = {'lr': 0.1}\n", "grid['lr'] is 0.1, but must be a list"),
    suite(
        "no data folder",
        task(f"dict(config={TWIN!r}, data='d', arms=dict(a=1))"),
        "needs images: give the folder of 'd' by --data",
    ),
    Bad(
        "another data folder",
        f"{RUN} --data none",
        ("no folder none/d; mend --data",),
        write("suite.py", task(f"dict(config={TWIN!r}, data='d', arms=dict(a=1))")),
    ),
]


@table(*ROWS)
def test_suites(bad, refused, monkeypatch):
    monkeypatch.delenv("LWDNA_DATA", raising=False)
    refused(bad)
