import json
import math
from dataclasses import replace

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.suite.records import Key, Record, merge, read_records, write_records

from .made import make


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "new" / "runs.jsonl"
    records = [make(seed=1), make(), make("baseline", train_loss=None), make(task="200")]
    write_records(records, path)
    assert read_records(path) == sorted(records, key=lambda record: record.key)
    assert list(path.parent.iterdir()) == [path]  # no temporary file is left
    assert read_records(tmp_path / "none.jsonl") == []


def test_one_run_one_line_and_equal_bytes_for_equal_records(tmp_path):
    records = [make(seed=seed, options=dict(b=1, a=2)) for seed in (2, 0, 1)]
    write_records(records, tmp_path / "a")
    write_records([replace(record, options=dict(a=2, b=1)) for record in reversed(records)], tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    lines = (tmp_path / "a").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in lines] == [0, 1, 2]
    assert list(json.loads(lines[0])) == sorted(json.loads(lines[0]))
    # The order of execution is not the alphabetic one, and the figures need it.
    assert list(read_records(tmp_path / "a")[0].widths) == ["stem", "layer2", "layer10"]


GOOD = json.dumps(make().to_dict())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (GOOD[:-9], "Expecting|Unterminated"),
        ("<<<<<<< HEAD", "Expecting value"),
        ("[]", "must be a JSON object"),
        (GOOD.replace('"seed": 0', '"seed": "0"'), "'seed' is '0', not a whole number"),
        (GOOD.replace('"seed": 0', '"seed": true'), "'seed' is True, not a whole number"),
        (GOOD.replace('"seed"', '"sede"'), "no key 'sede'"),
        (GOOD.replace('"seed": 0, ', ""), "'seed' is missing"),
        (GOOD.replace("24.3", "NaN"), "NaN is no JSON"),
        (GOOD.replace('"test"', '"train"'), "'stage' is 'train'"),
        (
            GOOD.replace('"layer2": 32', '"layer2": "32"'),
            "'widths' is .*not an object, each value a whole number, or null",
        ),
        (GOOD.replace('"acts": 1.39', '"act": 1.39'), "'shares' has"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, message):
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps(make(seed=7).to_dict()) + "\n" + line + "\n")
    with pytest.raises(UserError, match=f"runs.jsonl, line 2: .*{message}") as caught:
        read_records(path)
    assert "\n" not in str(caught.value)


def test_a_run_that_is_there_twice_is_refused(tmp_path):
    (tmp_path / "runs.jsonl").write_text(f"{GOOD}\n{GOOD.replace('24.3', '25.3')}\n")
    with pytest.raises(UserError, match="line 2: 50/lwdna seed 0 is in line 1 too"):
        read_records(tmp_path / "runs.jsonl")


def test_no_text(tmp_path):
    (tmp_path / "runs.jsonl").write_bytes(b"\x80\x81")
    with pytest.raises(UserError, match=r"runs.jsonl: is no text"):
        read_records(tmp_path / "runs.jsonl")


def test_merging_keeps_the_first_look_at_the_test_set():
    kept = [make(value=24.3), make(seed=1)]
    again, changed, other = make(value=30.0), make(seed=1, spec="other", value=31.0), make("random", 21.0)
    merged = merge(kept, [again, other, changed])
    assert [(record.key.arm, record.seed, record.value) for record in merged] == [
        ("lwdna", 0, 24.3),
        ("lwdna", 1, 31.0),
        ("random", 0, 21.0),
    ]
    assert merge(merged, merged) == merged


def test_points_of_a_grid_are_runs_of_their_own():
    points = [{"optim.lr": lr, "optim.weight_decay": decay} for lr in (0.1, 0.3) for decay in (1e-4, 1e-3)]
    records = [make("lwdna-tuned", stage="select", point=point) for point in points]
    assert len(merge([], records)) == 4
    assert records[0].key == Key("50", "lwdna-tuned", 0, "select", "lr=0.1,weight_decay=0.0001")
    assert replace(records[0], point=dict(reversed(points[0].items()))).key == records[0].key
    assert make("lwdna-tuned", point=points[0]).key == Key("50", "lwdna-tuned", 0)


def test_a_diverged_run_is_no_result_but_its_loss_may_be_infinite():
    with pytest.raises(UserError, match="50/lwdna seed 0: accuracy/top1 is nan: the training has diverged"):
        make(value=math.nan)
    assert make("lwdna-tuned", math.nan, stage="select", point={"optim.lr": 3.0}).value is None
    assert make(train_loss=math.inf, train_value=math.nan).train_loss is None
    assert Record.from_dict(make(train_value=math.nan).to_dict()).train_value is None
