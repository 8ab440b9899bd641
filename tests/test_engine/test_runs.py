"""Runs in folders with a past, runs that were cut short, and input that must be refused before anything is lost."""

import json
import shutil

import pytest
from mmengine.hooks import Hook

from lwdna_mm.apis.trained import load_trained
from lwdna_mm.engine import load_config, run, shrink
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.errors import UserError
from lwdna_mm.models.builders import LWDNA
from lwdna_mm.registry import HOOKS
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
from lwdna_mm.runs.summary import COSTS
from tests.digits_runs import tiny_config


@HOOKS.register_module(name="StopBeforeLastValidation")
class _StopBeforeLastValidation(Hook):
    def before_val(self, runner):
        if runner.iter == runner.max_iters:
            raise KeyboardInterrupt


def last(summary):
    return summary["metrics"]["last"]["accuracy/top1"]


def iteration_based(work_dir, **options):
    cfg = tiny_config(work_dir, lwdna=False, **options)
    cfg.train_cfg = dict(by_epoch=False, max_iters=9, val_interval=3)
    cfg.param_scheduler, cfg.log_processor = None, dict(by_epoch=False)
    cfg.default_hooks.checkpoint.by_epoch = False
    cfg.default_hooks.checkpoint.interval = 3
    return cfg


def test_a_second_run_in_the_folder_reports_only_itself(tmp_path):
    first = run(tiny_config(tmp_path / "same", lwdna=False, train_cfg__val_interval=1))
    changes = dict(train_cfg__max_epochs=2, train_cfg__val_interval=1, optim_wrapper__optimizer__lr=1e-4)
    second = run(tiny_config(tmp_path / "same", lwdna=False, **changes))
    alone = run(tiny_config(tmp_path / "alone", lwdna=False, **changes))
    assert second["metrics"] == alone["metrics"] != first["metrics"]


def test_iteration_based_runs_report_their_validations(tmp_path):
    summary = run(iteration_based(tmp_path))
    logged = [json.loads(line) for file in tmp_path.glob("*/vis_data/scalars.json") for line in file.open()]
    values = {entry["step"]: entry["accuracy/top1"] for entry in logged if "accuracy/top1" in entry}
    assert sorted(values) == [3, 6, 9]
    assert last(summary) == values[9]
    assert summary["metrics"]["best"]["accuracy/top1"] == max(values.values())


@pytest.mark.parametrize("make", [iteration_based, lambda folder: tiny_config(folder, lwdna=False)])
def test_a_run_killed_before_its_last_validation_makes_up_for_it(make, tmp_path):
    whole = run(make(tmp_path / "whole"))
    cut = make(tmp_path / "cut")
    cut.custom_hooks = [dict(type="lwdna_mm.StopBeforeLastValidation")]
    with pytest.raises(KeyboardInterrupt):
        run(cut)
    assert run(make(tmp_path / "cut"), resume=True)["metrics"]["last"] == whole["metrics"]["last"]


def test_mmengines_own_way_to_resume(tmp_path):
    whole = run(tiny_config(tmp_path, lwdna=False))
    saved = (tmp_path / "epoch_3.pth").stat().st_mtime_ns
    cfg = tiny_config(tmp_path, lwdna=False)
    cfg.resume = True
    assert run(cfg)["metrics"]["last"] == whole["metrics"]["last"]
    assert (tmp_path / "epoch_3.pth").stat().st_mtime_ns == saved


def test_a_plan_that_is_not_there_costs_nothing(tmp_path):
    run(tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=1))
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(UserError, match="no such plan"):
        run(tiny_config(tmp_path), plan=tmp_path / "none.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished LW-DNA run of one epoch."""
    work_dir = tmp_path_factory.mktemp("trained") / "run"
    run(tiny_config(work_dir, train_cfg__max_epochs=1))
    return work_dir


def test_an_edited_plan_is_counted_as_it_is(trained, tmp_path):
    plan = json.loads((trained / "plan.json").read_text())
    plan["widths"]["backbone.conv1"] = 10
    del plan["criterion"], plan["baseline"]
    (tmp_path / "edited.json").write_text(json.dumps(plan))
    cfg = tiny_config(tmp_path / "run", train_cfg__max_epochs=1, lwdna__init="fresh")
    summary = run(cfg, plan=tmp_path / "edited.json")
    state = load_checkpoint_file(tmp_path / "run" / "epoch_1.pth")["state_dict"]
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert summary["params"] == sum(value.numel() for name, value in state.items() if not name.endswith(buffers))


def test_the_dumped_config_needs_nothing_else(trained, tmp_path):
    moved = shutil.copytree(trained, tmp_path / "moved")
    config = next(moved.glob("*.py"))
    (moved / "plan.json").unlink()
    cfg = load_config(config)
    network = load_trained(cfg, moved / "epoch_1.pth")
    assert network.backbone.conv1.weight.shape == build_model(cfg).backbone.conv1.weight.shape


def test_the_dumped_config_trains_its_plan_anew(trained, tmp_path):
    cfg = load_config(next(trained.glob("*.py")))
    cfg.work_dir = str(tmp_path / "again")
    summary = run(cfg)
    first = json.loads((trained / "summary.json").read_text())
    assert {**first, **dict.fromkeys(("search", "training"))} == {**summary, **dict.fromkeys(("search", "training"))}
    assert (tmp_path / "again" / "plan.json").read_bytes() == (trained / "plan.json").read_bytes()
    again = load_checkpoint_file(tmp_path / "again" / "epoch_1.pth")
    assert again["meta"]["lwdna_plan"] == json.loads((trained / "plan.json").read_text())
    load_trained(tiny_config(tmp_path), tmp_path / "again" / "epoch_1.pth")


def test_a_plan_without_a_section_is_trained_from_a_fresh_start(trained, tmp_path):
    options = dict(lwdna=False, train_cfg__max_epochs=1)
    assert run(tiny_config(tmp_path / "given", **options), plan=trained / "plan.json")["init"] == "fresh"
    cfg = tiny_config(tmp_path / "own", **options)
    plan = json.loads((trained / "plan.json").read_text())
    shape = plan.pop("input_shape")
    cfg.model = dict(type="LWDNA", model=cfg.model, plan=plan, input_shape=tuple(shape[0]))
    summary = run(cfg)
    assert summary["init"] == "fresh"
    assert summary["baseline"] == {cost: plan["baseline"][cost] for cost in COSTS}
    load_trained(tiny_config(tmp_path), tmp_path / "own" / "epoch_1.pth")
    cfg.model.type = LWDNA
    load_trained(cfg, tmp_path / "own" / "epoch_1.pth")


def test_a_search_that_has_changed_is_noticed(trained):
    for change in (dict(lwdna__keep=["backbone.conv1"]), dict(lwdna__shrink__iters=2)):
        with pytest.raises(UserError, match="was searched with"):
            run(tiny_config(trained, **change), resume=True)


def test_schedulers_that_hold_methods_can_be_resumed(tmp_path):
    def one_cycle(epochs):
        cfg = tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=epochs)
        cfg.param_scheduler = dict(type="OneCycleLR", eta_max=0.1, total_steps=8, by_epoch=False)
        return cfg

    run(one_cycle(1))
    run(one_cycle(2), resume=True)
    assert (tmp_path / "epoch_2.pth").is_file()


def test_what_cannot_be_searched_is_refused(tmp_path):
    with pytest.raises(UserError, match="gives no batch"):
        shrink(
            tiny_config(tmp_path, train_dataloader__batch_size=100, train_dataloader__drop_last=True), tmp_path / "p"
        )
    with pytest.raises(UserError, match="give the plan a file name"):
        shrink(tiny_config(tmp_path), tmp_path / "plan.pth")
    assert not list(tmp_path.glob("p*"))


def test_damaged_note_of_the_last_checkpoint(tmp_path):
    run(tiny_config(tmp_path, lwdna=False, train_cfg__max_epochs=1))
    (tmp_path / "last_checkpoint").write_text("")
    with pytest.raises(UserError, match="last_checkpoint is empty"):
        run(tiny_config(tmp_path, lwdna=False), resume=True)


def test_warm_up_heeds_paramwise_options(tmp_path, monkeypatch):
    seen = {}

    class Look(Hook):
        def before_train(self, runner):
            seen.update({group["lr"]: len(group["params"]) for group in runner.optim_wrapper.param_groups})

    monkeypatch.setattr("lwdna_mm.engine.shrink_hook.ShrinkHook.before_train", Look.before_train, raising=False)
    cfg = tiny_config(tmp_path)
    cfg.optim_wrapper.paramwise_cfg = dict(custom_keys={"head.fc.weight": dict(lr_mult=10)})
    shrink(cfg, tmp_path / "plan.json")
    assert cfg.optim_wrapper.optimizer.lr * 10 in seen
