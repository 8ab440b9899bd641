from pathlib import Path

import pytest

from lwdna_mm.engine import load_config
from lwdna_mm.errors import UserError
from lwdna_mm.suite.config import load_suite
from lwdna_mm.suite.matrix import expand
from tests.suite_runs import SUITE, write_suite

SUITES = sorted((Path(__file__).resolve().parents[2] / "configs" / "suites").glob("*.py"))


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.full if path.stem == "paper" else (), id=path.stem) for path in SUITES],
)
def test_options_of_every_suite_fit_its_configs(path: Path):
    runs = expand(load_suite(path))
    assert len({run.key for run in runs}) == len(runs)
    for config, options in {
        (run.task.config, str(run.options)): (run.task.config, run.options) for run in runs
    }.values():
        load_config(config, options)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("metric =", "metrics =", "has no key 'metrics': did you mean 'metric'"),
        ("tuned=True", "tune=True", r"arms\['lwdna-tuned'\] has no key 'tune': did you mean 'tuned'"),
        ("tuned=True", "grid={'a.b': [1]}", r"arms\['lwdna-tuned'\] has grid, but is not tuned"),
        ("tuned=True", "tuned=1", r"arms\['lwdna-tuned'\]: 'tuned' is 1, but must be True, False or the name"),
        ("tuned=True", "tuned='lwdna'", "'lwdna-tuned' takes the point of 'lwdna', which is not tuned there"),
        ("tuned=True", "tuned='best'", "'lwdna-tuned' takes the point of 'best', which is not tuned there"),
        ("tuned=True", "tuned=True, grid={'a.b': 1}", r"arms\['lwdna-tuned'\].grid\['a.b'\] is 1, but must be a list"),
        ('equal=dict(params="lwdna")', 'equal=dict(param="lwdna")', "has 'param': did you mean 'params'"),
        ('"lwdna": 2, "land', '"lwdan": 2, "land', "has 'lwdan': did you mean 'lwdna'"),
        ('"narrow": 1', '"narrow": 3', r"\['narrow'\] follows 'lwdna', which has fewer runs"),
        ('equal=dict(params="lwdna")', 'widths="wide"', r"arms\['narrow'\] follows 'wide': known are"),
        (
            'equal=dict(params="lwdna")',
            'widths="narrow"',
            "follows 'narrow', which must itself neither follow another nor",
        ),
        (
            '"narrow": dict(equal=dict(params="lwdna"))',
            '"narrow": dict(widths="landscape")',
            "neither follow .* nor vary",
        ),
        (
            'equal=dict(params="lwdna")',
            'widths="lwdna-tuned"',
            "follows 'lwdna-tuned', which is tuned: it comes too late",
        ),
        (
            'equal=dict(params="lwdna")',
            'widths="lwdna", options={"lwdna.budget.flops": 0.5}',
            "follows 'lwdna', whose widths it cannot have, for the two have other budgets",
        ),
        ('dict(vary="', 'dict(tuned=True, vary="', r"arms\['landscape'\] varies .* can neither be tuned nor"),
        ('equal=dict(params="lwdna")', "widths=1", "'widths' is 1, but must be a string"),
        ('"baseline": 2', '"baseline": 0', r"\['baseline'\] is 0, but must be the number of runs"),
        ("arms=dict(uniform=1)", "arms=dict(uniform=1), amp='yes'", "'amp' is 'yes', but must be True or False"),
        ("tuned=True", "grid_seeds=2", r"arms\['lwdna-tuned'\] has grid_seeds, but is not tuned"),
        ("size=10,", "size=10, grid_seeds=0,", r"tasks\['small'\].grid_seeds is 0, but must be the number"),
        ("size=10,", "size=10, grid_seeds='all',", "grid_seeds is 'all', but must be the number of seeds"),
        ("metric =", "grid_seeds = True\nmetric =", "made_up.py: grid_seeds is True, but must be the number of seeds"),
        ("grid =", "_unused =", "has no key '_unused'"),
        ("resnet8_lwdna", "resnet9_lwdna", "does not exist"),
        ("select = {", "select = None and {", "needs a grid and a select"),
        ("tasks =", "tasks = (", "made_up.py"),
        ('equal=dict(params="lwdna")', "equal=dict(params=0.5)", r"\['narrow'\].equal\['params'\] is 0.5, but must be"),
        ('equal=dict(params="lwdna")', "planner=True", r"arms\['narrow'\]: 'planner' is True, but must be a string"),
        ('"small": dict(', "50: dict(", "tasks has the name 50: write it in quotes"),
        ("arms=dict(uniform=1)", "arms={}", r"tasks\['large'\].arms is empty: name an arm"),
        ("[0.1, 0.3]", "[0.1, {0.3}]", "'grid' must be texts, numbers, lists and dicts: .*set"),
        (
            '"lwdna-tuned": dict(tuned=True)',
            '"lwdna-tuned": dict(tuned=True, widths="lwdna", grid={"lwdna.shrink.min_ratio": [0.1, 0.2]})',
            "'lwdna-tuned' follows another arm, which decides lwdna.shrink.min_ratio: take it from the grid",
        ),
    ],
)
def test_a_wrong_suite_is_named(tmp_path, old, new, message):
    assert old in SUITE
    with pytest.raises(UserError, match=message):
        load_suite(write_suite(tmp_path, SUITE.replace(old, new)))


def test_every_seed_of_a_grid_needs_the_arm_that_it_follows(tmp_path):
    text = SUITE.replace('equal=dict(params="lwdna")', 'equal=dict(params="lwdna"), tuned=True')
    load_suite(write_suite(tmp_path, "grid_seeds = 2\n" + text))
    load_suite(write_suite(tmp_path, "grid_seeds = 3\n" + text.replace("tuned=True", "tuned=True, grid_seeds=1")))
    with pytest.raises(UserError, match="follows 'lwdna', which has fewer runs there than grid_seeds"):
        load_suite(write_suite(tmp_path, "grid_seeds = 3\n" + text))
