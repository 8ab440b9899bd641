import copy

import pytest

from lwdna_mm.apis.hypernet import compare_gates
from tests.digits_runs import CONFIGS, tiny_options


@pytest.mark.full
def test_what_each_kind_of_gates_makes_of_a_search(tmp_path):
    options = copy.deepcopy(tiny_options(True))
    rows = compare_gates(CONFIGS / "resnet8_lwdna_1xb32_digits.py", options, tmp_path, seeds=range(2))
    plain, gradient, magnitude = (row["decided as drawn"] for row in rows)
    assert plain == "-"
    # Two steps hardly move a latent, so that its magnitude is that of the draw.
    assert float(magnitude) > 0.95 > float(gradient) > 0
    assert all(-1 <= row["rank correlation of widths between seeds"] <= 1 for row in rows)
    assert all(0.4 < row[third] < 2 for row in rows for third in ("first third of groups", "last third"))
    assert len(list(tmp_path.glob("*/seed-*/plan.json"))) == 6
