"""A network under its budgets, from profile to table, and once more from what is there."""

import json

import pytest
import torch

from lwdna_mm.apis import budgets
from lwdna_mm.errors import UserError
from lwdna_mm.latency import Workload, budget
from tests.digits_runs import tiny_options
from tests.test_latency.profiles import CONFIG

WORKLOADS = [Workload(1), Workload(4, train=True)]
QUICK = dict(turns=3, plans=5, held_out=3, seconds=0.1)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    out = tmp_path_factory.mktemp("costs")
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "TURNS", 3)
        found = budgets.measure_budgets(CONFIG, tiny_options(True), WORKLOADS, out, told.append, **QUICK)
    return out, found, told


def test_every_arm_is_within_its_flops_and_timed(measured):
    _, found, told = measured
    arms = [arm for arm in budgets.ARMS if not any(line.startswith(f"no plan under {arm}:") for line in told)]
    assert list(found["times"]) == list(found["shares"]) == arms
    assert arms[:2] == list(budgets.ARMS)[:2]
    for arm in arms:
        assert found["shares"][arm]["flops"] <= 1
        assert {name: len(values) for name, values in found["times"][arm].items()} == {
            "batch 1": 3,
            "batch 4, training": 3,
        }
    assert set(found["error"]) == {"batch 1", "batch 4, training"}


def test_what_is_there_is_not_measured_again(measured, monkeypatch):
    out, found, _ = measured

    def refuse(*args, **kwargs):
        raise AssertionError("measured again")

    for name in ("profile_latency", "shrink", "time_in_turns"):
        monkeypatch.setattr(budgets, name, refuse)
    assert budgets.measure_budgets(CONFIG, tiny_options(True), WORKLOADS, out, print, **QUICK) == found
    with pytest.raises(UserError, match=r"result\.json: is of 3 turns, and this call asks for 4"):
        budgets.measure_budgets(CONFIG, tiny_options(True), WORKLOADS, out, print, **{**QUICK, "turns": 4})
    budgets.check_budget_data(CONFIG, {"train_dataloader.dataset.type": "nothing"}, out)
    (out / budgets.RESULT).unlink()
    with pytest.raises(AssertionError, match="measured again"):
        budgets.measure_budgets(CONFIG, tiny_options(True), WORKLOADS, out, print, **QUICK)


@pytest.mark.parametrize("name", ["result.json", "latency.json"])
def test_what_is_there_must_be_of_the_same_arguments(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"no arguments\.json says how it was measured"):
        budgets.measure_budgets(CONFIG, {}, WORKLOADS, tmp_path, print, **QUICK)
    threads = torch.get_num_threads()
    told = dict(config=CONFIG.stem, threads=threads, workloads=["batch 1", "batch 4, training"])
    told |= {"plans": 5, "held_out": 3, "seconds": 0.1, "lwdna.shrink.iters": 3}
    (tmp_path / "arguments.json").write_text(json.dumps(told))
    for changed, options, workloads in (
        ("held_out 3, and this call asks for 4", {"lwdna.shrink.iters": 3}, WORKLOADS),
        ("lwdna.shrink.iters 3, and this call asks for 8", {"lwdna.shrink.iters": 8}, WORKLOADS),
        ("workloads .*, and this call asks for .'batch 1'.: ask", {"lwdna.shrink.iters": 3}, WORKLOADS[:1]),
    ):
        how = {**QUICK, "held_out": 4 if "held_out" in changed else 3}
        with pytest.raises(UserError, match=f"was measured with {changed}"):
            budgets.measure_budgets(CONFIG, options, workloads, tmp_path, print, **how)


def test_rows(measured):
    error, first, *_ = budgets.budget_rows("digits", measured[1])
    assert error["network"] == first["network"] == "digits"
    assert list(error) == list(first) == ["network", "", "FLOPs", "acts", "batch 1", "training"]
    assert first[""] == "flops"
    low, rest = first["batch 1"].split(" [")[0], first["batch 1"].split(" [")[1]
    assert float(low) > 0
    assert rest.endswith("]")
