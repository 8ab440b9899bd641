import json

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.runs.history import EARLIER, History, less_is_better, logs_in, read_history, set_aside


def test_repeated_steps_count_once_and_the_later_run_wins(tmp_path):
    first = [dict(lr=0.1, loss=2.0, step=10), {"acc": 40.0, "step": 1, "time": 1.0}, dict(lr=0.1, loss=1.0, step=20)]
    second = [dict(lr=0.1, loss=0.5, step=20), {"acc": 30.0, "step": 2, "data_time": 1.0}, {"mae": 3, "step": 2}]
    for name, lines in (("20260101_000000", first), ("20260101_000001", second)):
        (tmp_path / name / "vis_data").mkdir(parents=True)
        (tmp_path / name / "vis_data" / "scalars.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    history = read_history(tmp_path)
    assert history.train == {"loss": {10: 2.0, 20: 0.5}}
    assert history.val == {"acc": {1: 40.0, 2: 30.0}, "mae": {2: 3.0}}
    assert history.last == {"acc": 30.0, "mae": 3.0}
    assert history.best == {"acc": 40.0, "mae": 3.0}


def test_a_line_that_a_kill_has_cut_is_left_out(tmp_path):
    lines = [dict(lr=0.1, loss=2.0, step=100), {"psnr": 20.0, "step": 100}]
    lines += [dict(lr=0.1, loss=2.0, step=200), {"psnr": 30.0, "step": 200}]
    (tmp_path / "run" / "vis_data").mkdir(parents=True)
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"lr": 0.1, "los'
    (tmp_path / "run" / "vis_data" / "scalars.json").write_text(text)
    assert read_history(tmp_path).val == {"psnr": {100: 20.0, 200: 30.0}}


def test_logs_of_an_earlier_run_in_the_folder_are_left_out(tmp_path):
    for name, value in (("20260101_000000", 40.0), ("20260101_000001", 30.0)):
        (tmp_path / name / "vis_data").mkdir(parents=True)
        (tmp_path / name / "vis_data" / "scalars.json").write_text(json.dumps({"acc": value, "step": 1}) + "\n")
        if value == 40.0:
            set_aside(tmp_path, logs_in(tmp_path))
    assert read_history(tmp_path).val == {"acc": {1: 30.0}}


def test_the_best_is_a_number(tmp_path):
    assert History(val={"acc": {1: float("nan"), 2: 30.0, 3: 20.0}}).best == {"acc": 30.0}
    assert str(History(val={"acc": {1: float("nan")}}).best) == "{'acc': nan}"


@pytest.mark.parametrize("content", ["", "{", "1"])
def test_a_damaged_note_of_earlier_logs_is_named(tmp_path, content):
    (tmp_path / EARLIER).write_text(content)
    with pytest.raises(UserError, match=r"earlier_logs\.json: damaged"):
        read_history(tmp_path)


def test_direction_of_metrics():
    assert less_is_better("Set5/MAE")
    for name in (
        "loss_cls",
        "val/top1_error",
        "MattingMSE",
        "GradientError",
        "FID-Full-50k/fid",
        "SWD/avg",
        "EPE",
        "SAD",
    ):
        assert less_is_better(name)
    for name in ("lossless/PSNR", "errorless/SSIM", "fiddle/top1", "otb/success"):
        assert not less_is_better(name)
    assert not less_is_better("accuracy/top1")
    assert not less_is_better("Set5/PSNR")
