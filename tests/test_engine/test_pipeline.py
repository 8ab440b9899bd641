import json

import pytest
import torch
from mmengine.hooks import CheckpointHook
from torch.utils.flop_counter import FlopCounterMode

from lwdna_mm.engine import format_summary, run, shrink
from lwdna_mm.engine.planned import resized_model
from lwdna_mm.engine.protocol import build_model, complete
from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
from lwdna_mm.shrink import BudgetError
from tests.digits_runs import tiny_config


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The work_dir of a complete run, and what it returned."""
    work_dir = tmp_path_factory.mktemp("finished")
    return work_dir, run(tiny_config(work_dir))


def count(model):
    """FLOPs and parameters by PyTorch's own counters."""
    model.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.rand(1, 1, 8, 8), mode="tensor")
    return counter.get_total_flops() // 2, sum(p.numel() for p in model.parameters())


def test_plan_file(finished):
    text = (finished[0] / "plan.json").read_text()
    plan = json.loads(text)
    assert text == json.dumps(plan, indent=2, sort_keys=True) + "\n"
    assert len(text) < 2000
    assert plan["criterion"] == dict(type="GradientCriterion")
    assert (plan["seed"], plan["policy"], plan["budget"]) == (0, "threshold", dict(flops=1.0))
    assert plan["flops"] <= plan["baseline"]["flops"]


def test_numbers_are_those_of_the_networks(finished):
    work_dir, summary = finished
    cfg = tiny_config(work_dir)
    assert (summary["baseline"]["flops"], summary["baseline"]["params"]) == count(build_model(cfg))
    cfg.model = resized_model(cfg, str(work_dir / "plan.json"))
    small = build_model(cfg)
    assert (summary["flops"], summary["params"]) == count(small)
    checkpoint = load_checkpoint_file(work_dir / "epoch_3.pth")
    small.load_state_dict(checkpoint["state_dict"])  # strict: the network is the plain one, with its plain names
    assert checkpoint["meta"]["lwdna_plan"] == json.loads((work_dir / "plan.json").read_text())


def test_summary(finished):
    work_dir, summary = finished
    assert json.loads((work_dir / "summary.json").read_text()) == summary
    assert 0 <= summary["metrics"]["last"]["accuracy/top1"] <= summary["metrics"]["best"]["accuracy/top1"] <= 100
    assert summary["training"]["samples"] == 3 * 64
    search = summary["search"]
    assert search["samples"] == 3 * 16
    assert search["share"] == pytest.approx(48 * search["flops"] / (192 * summary["flops"]))


def test_training_begins_with_the_inherited_weights(finished, tmp_path):
    started = tiny_config(tmp_path, train_cfg__max_epochs=1, optim_wrapper__optimizer__lr=0.0)
    run(started)
    inherited = load_checkpoint_file(tmp_path / "plan.pth")["state_dict"]
    trained = load_checkpoint_file(tmp_path / "epoch_1.pth")["state_dict"]
    name = "backbone.layer1.0.conv1.weight"
    assert torch.equal(inherited[name], trained[name])
    fresh = tiny_config(tmp_path, train_cfg__max_epochs=1, optim_wrapper__optimizer__lr=0.0, lwdna__init="fresh")
    run(fresh)
    assert not torch.equal(inherited[name], load_checkpoint_file(tmp_path / "epoch_1.pth")["state_dict"][name])


def test_same_seed_same_plan(finished, tmp_path):
    shrink(tiny_config(tmp_path), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (finished[0] / "plan.json").read_bytes()


def test_random_control_follows_the_seed(tmp_path):
    plans = []
    for seed in (0, 0, 1):
        cfg = tiny_config(tmp_path, lwdna__shrink__criterion=dict(type="RandomCriterion"))
        cfg.randomness.seed = seed
        plans.append(shrink(cfg, tmp_path / "plan.json"))
    assert plans[0].widths == plans[1].widths != plans[2].widths
    assert plans[2].meta["criterion"] == dict(type="RandomCriterion", seed=1)


def test_random_widths_follow_the_seed_unless_told(tmp_path):
    plans = []
    for seed, given in ((0, {}), (1, {}), (0, dict(seed=1))):
        cfg = tiny_config(tmp_path, lwdna__shrink__criterion=dict(type="RandomWidthsCriterion", **given))
        cfg.randomness.seed = seed
        plans.append(shrink(cfg, tmp_path / "plan.json"))
    assert plans[0].widths != plans[1].widths == plans[2].widths


def test_tilt_reaches_the_search(tmp_path):
    plans = {}
    for tilt in (-0.5, 0.0):
        cfg = tiny_config(tmp_path, lwdna__shrink__criterion=dict(type="TiltCriterion", tilt=tilt))
        plans[tilt] = shrink(cfg, tmp_path / "plan.json")
    assert plans[0.0].widths == plans[0.0].meta["baseline"]["widths"]
    first, last = plans[-0.5].meta["order"][0], plans[-0.5].meta["order"][-1]
    assert plans[-0.5].widths[first] > plans[0.0].widths[first]
    assert plans[-0.5].widths[last] < plans[0.0].widths[last]


def test_what_the_classifier_reads_may_be_held_to_the_baselines_width(tmp_path):
    widths = {}
    for grow in (True, False):
        cfg = tiny_config(tmp_path, lwdna__shrink__grow_last=grow, lwdna__budget=dict(flops=3.0))
        plan = shrink(cfg, tmp_path / "plan.json")
        widths[grow] = plan.widths
        assert plan.meta.get("grow_last", True) == grow
    last = "backbone.layer3.0.conv2"
    assert widths[True][last] > plan.meta["baseline"]["widths"][last] == widths[False][last]
    # Prescribed widths are as prescribed.
    tilt = dict(type="TiltCriterion", tilt=0.5)
    cfg = tiny_config(tmp_path, lwdna__shrink__grow_last=False, lwdna__shrink__criterion=tilt)
    assert shrink(cfg, tmp_path / "plan.json").widths[last] > plan.meta["baseline"]["widths"][last]


@pytest.mark.parametrize("divisor", [1, 72])
def test_widths_of_a_plan_whose_last_layer_is_held_come_back(tmp_path, divisor):
    changes = dict(lwdna__shrink__divisor=divisor, lwdna__budget=dict(flops=4.0))
    widths = shrink(tiny_config(tmp_path, **changes), tmp_path / "plan.json").widths
    assert widths["backbone.layer3.0.conv2"] == 64  # as in the baseline, which is no multiple of 72
    changes.update(lwdna__shrink__min_ratio=0.0, lwdna__shrink__divisor=1)
    for grow in (True, False):
        criterion = dict(type="WidthsCriterion", widths=widths, grow=grow)
        again = shrink(tiny_config(tmp_path, **changes, lwdna__shrink__criterion=criterion), tmp_path / "again.json")
        assert (again.widths == widths) != grow


def test_activations_alone_as_a_budget_above_the_baselines(tmp_path):
    changes = dict(lwdna__budget=dict(flops=None, acts=1.39), lwdna__shrink__min_ratio=0.1)
    cfg = tiny_config(tmp_path, **changes, lwdna__shrink__criterion=dict(type="UniformCriterion"))
    meta = shrink(cfg, tmp_path / "plan.json").meta
    assert meta["budget"] == dict(acts=1.39)
    assert 1.3 * meta["baseline"]["acts"] < meta["acts"] <= 1.39 * meta["baseline"]["acts"]
    assert meta["flops"] > meta["baseline"]["flops"]


def test_a_plan_from_before_activations_were_counted(finished, tmp_path):
    plan = json.loads((finished[0] / "plan.json").read_text())
    del plan["acts"], plan["baseline"]["acts"]
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "plan.pth").write_bytes((finished[0] / "plan.pth").read_bytes())
    summary = run(tiny_config(tmp_path, train_cfg__max_epochs=1), resume=True)
    assert summary["acts"] == finished[1]["acts"]
    assert "acts" not in summary["baseline"]
    assert "acts: " in format_summary(summary)


def test_warmup_trains_the_widened_network(tmp_path):
    kept = tiny_config(tmp_path, optim_wrapper__optimizer__lr=1e-2)
    shrink(kept, tmp_path / "cold.json")
    warm = tiny_config(tmp_path, optim_wrapper__optimizer__lr=1e-2, lwdna__shrink__warmup_iters=5)
    shrink(warm, tmp_path / "warm.json")
    # Only a network that has been trained has moved away from its initial batch-norm scales of 1.
    scale = "backbone.bn1.weight"
    assert (load_checkpoint_file(tmp_path / "cold.pth")["state_dict"][scale] == 1).all()
    assert (load_checkpoint_file(tmp_path / "warm.pth")["state_dict"][scale] != 1).any()


def test_a_given_plan_is_trained(finished, tmp_path):
    plan = finished[0] / "plan.json"
    summary = run(tiny_config(tmp_path, train_cfg__max_epochs=1), plan=plan)
    assert (tmp_path / "plan.json").read_bytes() == plan.read_bytes()
    assert summary["flops"] == finished[1]["flops"]


def test_the_work_dirs_own_plan_may_be_given(finished, tmp_path):
    for name in ("plan.json", "plan.pth"):
        (tmp_path / name).write_bytes((finished[0] / name).read_bytes())
    run(tiny_config(tmp_path, train_cfg__max_epochs=1), plan=tmp_path / "plan.json")
    assert (tmp_path / "plan.json").read_bytes() == (finished[0] / "plan.json").read_bytes()


def test_plan_without_weights_cannot_be_inherited(finished, tmp_path):
    (tmp_path / "lone.json").write_bytes((finished[0] / "plan.json").read_bytes())
    with pytest.raises(UserError, match="no weights beside the plan"):
        run(tiny_config(tmp_path / "run"), plan=tmp_path / "lone.json")


def test_unreachable_budget_is_told_before_the_search(tmp_path):
    with pytest.raises(BudgetError):
        run(tiny_config(tmp_path, lwdna__budget__flops=0.01))
    assert not (tmp_path / "plan.json").exists()


def test_resuming_a_finished_run_changes_nothing(finished):
    work_dir, summary = finished
    before = (work_dir / "epoch_3.pth").read_bytes()
    again = run(tiny_config(work_dir), resume=True)
    assert (work_dir / "epoch_3.pth").read_bytes() == before
    assert again["metrics"] == summary["metrics"]


def test_a_run_anew_forgets_the_old_one_when_it_has_begun(finished, tmp_path):
    (tmp_path / "plan.json").write_text("stale")
    (tmp_path / "last_checkpoint").write_text("stale")
    with pytest.raises(BudgetError):
        run(tiny_config(tmp_path, lwdna__budget__flops=0.01))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "plan.json": "stale",
        "last_checkpoint": "stale",
    }
    run(tiny_config(tmp_path, train_cfg__max_epochs=1))
    assert "widths" in json.loads((tmp_path / "plan.json").read_text())
    assert (tmp_path / "last_checkpoint").read_text().endswith("epoch_1.pth")


def test_plan_of_another_network(finished, tmp_path):
    cfg = tiny_config(tmp_path, model__backbone__depth=14, model__backbone__base_channels=8)
    cfg.model.head.in_channels = 32
    with pytest.raises(UserError, match="another network"):
        run(cfg, plan=finished[0] / "plan.json")


def test_resume_refuses_a_plan_that_was_searched_otherwise(finished, tmp_path):
    (tmp_path / "plan.json").write_bytes((finished[0] / "plan.json").read_bytes())
    with pytest.raises(UserError, match=r"plan.json was searched with budget \{'flops': 1.0\}.*says \{'flops': 0.8\}"):
        run(tiny_config(tmp_path, lwdna__budget__flops=0.8), resume=True)
    with pytest.raises(UserError, match="was searched with grow_last False, the config says True"):
        run(tiny_config(tmp_path, lwdna__shrink__grow_last=True), resume=True)
    cfg = tiny_config(tmp_path)
    cfg.randomness.seed = 5
    with pytest.raises(UserError, match="seed 0, the config says 5"):
        run(cfg, resume=True)


def test_resume_knows_the_seed_of_the_criterion(tmp_path):
    options = dict(lwdna__shrink__criterion=dict(type="RandomCriterion", seed=3), train_cfg__max_epochs=1)
    run(tiny_config(tmp_path, **options))
    options["lwdna__shrink__criterion"] = dict(type="RandomCriterion", seed=4)
    with pytest.raises(UserError, match=r"criterion \{'seed': 3, .*, the config says \{'seed': 4"):
        run(tiny_config(tmp_path, **options), resume=True)


def test_checkpoints_inside_epochs_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"checkpoint.by_epoch is False, but the training is counted in epochs"):
        run(tiny_config(tmp_path, default_hooks__checkpoint__by_epoch=False))


def test_checkpoints_in_another_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"checkpoint.out_dir is 'elsewhere', .* give the folder by --work-dir"):
        run(tiny_config(tmp_path, default_hooks__checkpoint__out_dir="elsewhere"))


def test_checkpoints_of_a_training_of_iterations_count_these(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.train_cfg = dict(type="IterBasedTrainLoop", max_iters=8, val_interval=4)
    with pytest.raises(UserError, match=r"default_hooks.checkpoint counts epochs, .* give it by_epoch=False"):
        run(cfg)
    del cfg.default_hooks["checkpoint"]
    complete(cfg)
    hook = cfg.default_hooks.checkpoint
    assert (hook["type"], hook["interval"], hook["by_epoch"]) == ("lwdna_mm.SafeCheckpointHook", 4, False)


@pytest.mark.parametrize("kind", ["CheckpointHook", "mmengine.hooks.CheckpointHook", CheckpointHook])
def test_a_checkpoint_hook_is_made_safe_however_it_is_named(tmp_path, kind):
    cfg = tiny_config(tmp_path)
    cfg.default_hooks.checkpoint.type = kind
    assert complete(cfg).default_hooks.checkpoint.type == "lwdna_mm.SafeCheckpointHook"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(lwdna__keep=["backbone"]), "no channel group that can change"),
        (
            dict(lwdna__shrink__warmup_iters=3, optim_wrapper__accumulative_counts=2),
            "warmup_iters is 3, but must be a multiple of optim_wrapper.accumulative_counts, 2",
        ),
    ],
)
def test_searches_that_cannot_be(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        shrink(tiny_config(tmp_path, **options), tmp_path / "plan.json")
    assert not (tmp_path / "plan.json").exists()


def test_a_summary_without_a_timer(finished):
    summary = json.loads((finished[0] / "summary.json").read_text())
    summary["training"]["seconds"] = None
    assert format_summary(summary).endswith("samples x FLOPs")


def test_configs_with_nothing_to_train_or_an_unknown_type(tmp_path):
    cfg = tiny_config(tmp_path)
    cfg.train_dataloader = None
    with pytest.raises(UserError, match="has no train_dataloader"):
        run(cfg)
    with pytest.raises(UserError, match="CifarResNett is not in the"):
        run(tiny_config(tmp_path, model__backbone__type="lwdna_mm.CifarResNett"))
