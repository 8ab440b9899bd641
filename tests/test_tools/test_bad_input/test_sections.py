"""Values of the ``lwdna`` section that cannot be, as told by the tools; all others: test_engine/test_section.py."""

import pytest

from tests.bad_input import Bad, table

DIGITS = "train_cfg.max_epochs=1 train_dataloader.dataset.train_size=64 lwdna.shrink.iters=2"


def section(option: str, *wanted: str, full: bool = False) -> Bad:
    tool = "train {c}/classification/resnet8_lwdna_1xb32_digits.py --cfg-options"
    return Bad(option, f"{tool} {DIGITS} lwdna.{option}", wanted, full=full)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tmp_path_factory.mktemp("good")


ROWS = [
    Bad(
        "shrink, too little",
        "shrink {c}/classification/resnet8_lwdna_1xb32_digits.py --out a/b.json --cfg-options lwdna.budget.flops=0.01",
        ("the floors alone cost", "raise it, or lower min_ratio or divisor"),
    ),
    Bad(
        "shrink, no section but a criterion for it",
        "shrink {c}/classification/resnet8_lwdna_1xb32_digits.py --criterion UniformCriterion --cfg-options lwdna=5",
        ("lwdna is 5, so there is no 'lwdna.shrink.criterion': give one of them",),
    ),
    section("widne=2", "lwdna.widne: unknown key 'widne', did you mean 'widen'"),
    section("widen=0.5", "lwdna.widen is 0.5, but must be at least 1, at most 16"),
    section("widen=1e999", "lwdna.widen is inf, but must be at least 1, at most 16"),
    section(
        "shrink.criterion=dict(type=RandomWidthsCriterion,spread=x)",
        "RandomWidthsCriterion's spread is 'x', but must be a number",
    ),
    section("budget=2", "lwdna.budget must be a dict, not 2"),
    section("budget.flops=0", "lwdna.budget.flops is 0, but must be above 0"),
    section("budget.flops=True", "lwdna.budget.flops is True, but must be a number"),
    section("budget.flops=0.01", "the floors alone cost", "raise it, or lower min_ratio or divisor"),
    section("budget.latency=none.json", "none.json: no such file; write one with tools/latency.py"),
    section("shrink=x", "lwdna.shrink is 'x', so there is no 'lwdna.shrink.iters'"),
    section("shrink.iters=0", "lwdna.shrink.iters is 0, but must be 1 or more"),
    section("shrink.min_ratio=2", "lwdna.shrink.min_ratio is 2, but must be between 0 and 1"),
    section("shrink.policy=greedy", "unknown policy 'greedy': use one of threshold, density", full=True),
    section("shrink.criterion.type=Gradient", "unknown criterion 'Gradient': use one of GradientCriterion"),
    section("shrink.criterion.sed=1", "unknown key 'sed' of criterion GradientCriterion: it takes normalize"),
    section("shrink.gate.type=Soft", "unknown gate 'Soft': use one of PlainGates, LatentHypernet", full=True),
    section("preset=fast", "lwdna.preset is 'fast', but must be one of paper"),
    section("input_shape=[1,0,8]", "input_shape is [1, 0, 8]: give (C, H, W)"),
    section("input_shape=[3,8,8]", "does not run on inputs of shape [[3, 8, 8]], see input_shape"),
    section("input_shape=[1,8]", "does not run on inputs of shape [[1, 8]], see input_shape"),
    section("grouped=abc", "grouped='abc': expected 'within' or 'whole'"),
    section("keep=nolayer", "keep: the model has no group or module 'nolayer'"),
]


@table(*ROWS)
def test_sections(bad, refused):
    refused(bad)
