"""A made-up suite whose runs take no time: what a network would have reached is a function of its order."""

import zlib
from pathlib import Path

from lwdna_mm.suite.matrix import Order
from lwdna_mm.suite.records import Record

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "classification" / "resnet8_lwdna_1xb32_digits.py"
SUITE = f"""
metric = "accuracy/top1"
arms = {{
    "baseline": dict(options=dict(lwdna=None)),
    "uniform": dict(options={{"lwdna.shrink.criterion": dict(type="UniformCriterion")}}),
    "lwdna": dict(),
    "narrow": dict(equal=dict(params="lwdna")),
    "lwdna-tuned": dict(tuned=True),
    "landscape": dict(vary="lwdna.shrink.criterion.seed"),
}}
options = {{"lwdna.shrink.min_ratio": 0.2}}
select = {{"select.share": 0.2}}
grid = {{"optim_wrapper.optimizer.lr": [0.1, 0.3]}}
tasks = {{
    "small": dict(
        config="{CONFIG}",
        size=10,
        arms={{"baseline": 2, "lwdna-tuned": 2, "narrow": 1, "lwdna": 2, "landscape": 2}},
    ),
    "large": dict(config="{CONFIG}", arms=dict(uniform=1)),
}}
"""


def write_suite(folder: Path, text: str = SUITE) -> Path:
    """The made-up suite's file."""
    path = folder / "made_up.py"
    path.write_text(text)
    return path


def pretend(order: Order) -> Record:
    """The record of a run that has not taken place; a learning rate of 0.3 does best."""
    value = 50 + zlib.crc32(order.spec.encode()) % 1000 / 1000 + 10 * (order.point.get("optim_wrapper.optimizer.lr", 0))
    return Record(
        suite=order.suite,
        task=order.key.task,
        arm=order.key.arm,
        seed=order.key.seed,
        stage=order.key.stage,
        metric=order.metric,
        value=value,
        flops=100,
        params=26,
        acts=139,
        shares=dict(flops=1.0, params=0.26, acts=1.39),
        training_seconds=1.0,
        samples=10,
        machine="none, 1 thread",
        date="2026-01-01",
        torch="2",
        code="0",
        spec=order.spec,
        size=order.size,
        options=order.options,
        point=order.point,
    )
