"""One run of a suite, where it cannot end as it should."""

from dataclasses import replace
from pathlib import Path

import pytest

from lwdna_mm.errors import DivergedError
from lwdna_mm.suite.matrix import Order
from lwdna_mm.suite.records import Key
from lwdna_mm.suite.worker import perform
from tests.digits_runs import CONFIGS, tiny_options


def test_a_point_of_a_grid_that_diverges_is_recorded_and_a_run_that_is_judged_is_not(tmp_path: Path):
    options = {**tiny_options(True), "select.share": 0.2, "optim_wrapper.optimizer.lr": 1e30}
    key = Key("digits", "lwdna-tuned", 0, "select", "lr=1e+30")
    config = str(CONFIGS / "resnet8_lwdna_1xb32_digits.py")
    order = Order("some", key, config, options, "accuracy/top1", False, None, None, None, {"optimizer.lr": 1e30})
    record = perform(order, tmp_path / "select", None)
    assert record.value is None
    assert record.train_value is None
    assert record.shares["flops"] <= 1
    assert record.widths
    with pytest.raises(DivergedError, match="iteration"):
        perform(replace(order, key=Key("digits", "lwdna-tuned", 0)), tmp_path / "test", None)
    searching = replace(order, options={**options, "lwdna.shrink.warmup_iters": 8})
    record = perform(searching, tmp_path / "search", None)
    assert (record.value, record.widths, record.samples) == (None, None, 0)
    assert record.shares == dict(flops=1.0, params=1.0, acts=1.0)
