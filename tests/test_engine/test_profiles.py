"""The choice of a profile by short trainings: what is tried, what is kept, and what a kill costs."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, HOOKS, init_default_scope

from lwdna_mm.channels import ChannelPlan
from lwdna_mm.engine import load_config, pipeline, run, shrink
from lwdna_mm.engine.protocol import complete, shorten
from lwdna_mm.engine.subset import validate_on_held_out
from lwdna_mm.errors import DivergedError, UserError
from tests.digits_runs import CONFIGS, tiny_config


class KilledError(BaseException):
    """Stands for a kill inside the process."""


@HOOKS.register_module(force=True)
class KillShortRun(Hook):
    """Raises in the second iteration."""

    def after_train_iter(self, runner, batch_idx, **kwargs) -> None:
        if batch_idx == 1:
            raise KilledError


@HOOKS.register_module(force=True)
class Poison(Hook):
    """Makes the weights of the short runs of some candidates NaN."""

    def __init__(self, candidates: list[str]) -> None:
        self.candidates = candidates

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if Path(runner.work_dir).name in self.candidates:
            with torch.no_grad():
                next(runner.model.parameters()).fill_(float("nan"))


SEARCH = dict(type="ProfileSearch", candidates=2, rungs=2, eta=2, held_out=0.3)


def config(work_dir, **options) -> Config:
    given = dict(lwdna__shrink__criterion=SEARCH, lwdna__shrink__min_ratio=0.1, train_cfg__max_epochs=4)
    return tiny_config(work_dir, **{**given, **options})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The work_dir of a whole run, its summary and its record."""
    work_dir = tmp_path_factory.mktemp("profiles")
    summary = run(config(work_dir))
    return work_dir, summary, json.loads((work_dir / "plan.profiles.json").read_text())


def test_the_record(finished):
    work_dir, summary, record = finished
    even, *drawn = record["candidates"]
    assert record["metric"] == "accuracy/top1"
    assert record["lengths"] == [0.25, 0.5]
    assert even["widths"] == json.loads((work_dir / "plan.json").read_text())["baseline"]["widths"]
    assert [len(one["values"]) for one in (even, *drawn)].count(2) == 2 == len(even["values"])
    best = max((one for one in record["candidates"] if len(one["values"]) == 2), key=lambda one: one["values"][-1])
    chosen = record["candidates"][record["chosen"]]
    assert chosen["values"][-1] == best["values"][-1] >= even["values"][-1]
    assert summary["flops"] == chosen["flops"] <= summary["baseline"]["flops"]
    assert ChannelPlan.from_json(work_dir / "plan.json").widths == chosen["widths"]
    assert ChannelPlan.from_json(work_dir / "plan.json").meta["criterion"] == {**SEARCH, "seed": 0}


def test_repeats_hold_out_other_images_and_their_mean_counts(finished, tmp_path):
    search = dict(SEARCH, candidates=1, rungs=1, repeats=2)
    shrink(config(tmp_path, lwdna__shrink__criterion=search), tmp_path / "plan.json")
    record = json.loads((tmp_path / "plan.profiles.json").read_text())
    for one in record["candidates"]:
        (each,) = one["each"]
        assert len(each) == 2
        assert one["values"] == [sum(each) / 2]
    folders = list(tmp_path.glob("**/profiles/*"))
    assert len(folders) == 2
    configs = [Config.fromfile(next(folder.glob("rung0/000/*.py"))) for folder in folders]
    # Not those of a run with the next seed: its trainings must be other ones.
    assert sorted(cfg.randomness.seed for cfg in configs) == [0, 1_000_003]
    assert images(configs[0].val_dataloader) != images(configs[1].val_dataloader)
    assert len(list(tmp_path.glob("**/rung0/*/summary.json"))) == 4
    # The first repeat is what a search without repeats does.
    alone = [json.loads(file.read_text()) for file in finished[0].glob("search/profiles/*/rung1/000/summary.json")]
    first = next(folder for folder, cfg in zip(folders, configs, strict=True) if cfg.randomness.seed == 0)
    again = json.loads((first / "rung0" / "000" / "summary.json").read_text())
    assert again["metrics"]["last"] == alone[0]["metrics"]["last"]


def test_given_candidates_trained_to_the_end(tmp_path):
    search = dict(type="ProfileSearch", candidates=[dict(tilt=-0.7)], rungs=1, longest=1.0)
    shrink(config(tmp_path, lwdna__shrink__criterion=search, train_cfg__max_epochs=2), tmp_path / "plan.json")
    record = json.loads((tmp_path / "plan.profiles.json").read_text())
    assert record["lengths"] == [1.0]
    assert [one["profile"]["tilt"] for one in record["candidates"]] == [0.0, -0.7]
    trained = [Config.fromfile(path) for path in tmp_path.glob("search/profiles/*/rung0/*/*.py")]
    assert [cfg.train_cfg.max_epochs for cfg in trained] == [2, 2]
    assert ChannelPlan.from_json(tmp_path / "plan.json").meta["criterion"] == {**search, "seed": 0}


def poisoned(work_dir: Path, *candidates: str) -> Config:
    """A config by which the short runs of some candidates diverge."""
    search = dict(type="ProfileSearch", candidates=[dict(tilt=-0.7), dict(tilt=0.7)], rungs=1)
    cfg = config(work_dir, lwdna__shrink__criterion=search, train_cfg__max_epochs=2)
    cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), dict(type="Poison", candidates=list(candidates))]
    return cfg


def test_a_candidate_that_diverges_is_the_worst_and_known_when_resumed(tmp_path):
    shrink(poisoned(tmp_path, "001", "002"), tmp_path / "plan.json")
    record = json.loads((tmp_path / "plan.profiles.json").read_text())
    assert record["chosen"] == 0
    assert [one["values"] for one in record["candidates"][1:]] == [[None], [None]]
    assert all(one["widths"] for one in record["candidates"])
    written = {file: file.stat().st_mtime_ns for file in tmp_path.glob("search/profiles/**/summary.json")}
    told = [json.loads(file.read_text()).get("diverged", "") for file in sorted(written)]
    assert ["the loss is nan" in one for one in told] == [False, True, True]

    (tmp_path / "plan.json").unlink()
    shrink(poisoned(tmp_path, "001", "002"), tmp_path / "plan.json")
    assert {file: file.stat().st_mtime_ns for file in tmp_path.glob("search/profiles/**/summary.json")} == written
    assert json.loads((tmp_path / "plan.profiles.json").read_text())["candidates"] == record["candidates"]


def test_even_widths_that_diverge_end_the_search(tmp_path):
    with pytest.raises(DivergedError, match="the loss is nan"):
        shrink(poisoned(tmp_path, "000"), tmp_path / "plan.json")


def test_the_cost_is_that_of_all_trainings(finished):
    work_dir, summary, record = finished
    spent = 0
    for file in work_dir.glob("search/profiles/*/rung*/*/summary.json"):
        short = json.loads(file.read_text())
        spent += short["training"]["samples"] * short["flops"] + short["search"]["samples"] * short["search"]["flops"]
    assert record["cost"]["samples_flops"] == spent
    search = json.loads((work_dir / "summary.json").read_text())["search"]
    own = 3 * 16 * 4 * search["flops"]  # three batches of the widened network
    assert search["samples"] * search["flops"] == pytest.approx(spent + own, rel=0.05)
    assert record["cost"]["trainings"] == pytest.approx(search["samples"] / (4 * 64))
    assert search["share"] == pytest.approx(record["cost"]["trainings"] * search["flops"] / summary["flops"])
    assert search["seconds"] > record["cost"]["seconds"]
    assert not list(work_dir.glob("search/profiles/**/*.pth"))


def test_killed_within_a_short_run(finished, tmp_path, monkeypatch):
    shutil.copytree(finished[0] / "search" / "profiles", tmp_path / "search" / "profiles")
    *_, last = sorted(tmp_path.glob("search/profiles/*/rung1/*"))
    shutil.rmtree(last)  # all others are done
    calls = []

    def kill(cfg, **options):
        cfg.custom_hooks.append(dict(type="KillShortRun"))
        return run(cfg, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "run", kill)
        with pytest.raises(KilledError):
            run(config(tmp_path), resume=True)
    assert not (tmp_path / "plan.json").exists()
    monkeypatch.setattr(pipeline, "run", lambda cfg, **options: calls.append(cfg.work_dir) or run(cfg, **options))
    run(config(tmp_path), resume=True)
    assert calls == [str(last)]
    again = json.loads((tmp_path / "plan.profiles.json").read_text())
    assert {**again, "cost": None} == {**finished[2], "cost": None}
    assert (tmp_path / "plan.json").read_bytes() == (finished[0] / "plan.json").read_bytes()


def test_a_run_anew_costs_the_one_before_nothing_until_its_first_short_run_has_begun(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(UserError, match=r"optim_wrapper\.optimizer"):
        run(config(tmp_path / "run", optim_wrapper__optimizer__momentum="fast"))
    assert contents(tmp_path / "run") == before
    (stale,) = (tmp_path / "run").glob("search/profiles/*")
    (stale.parent / "other").mkdir()
    written = {file: file.stat().st_mtime_ns for file in stale.glob("*/*/summary.json")}
    run(config(tmp_path / "run"))
    assert [*stale.parent.iterdir()] == [stale]
    assert {*stale.glob("*/*/summary.json")} == {*written}
    assert not any(file.stat().st_mtime_ns == time for file, time in written.items())
    again = json.loads((tmp_path / "run" / "plan.profiles.json").read_text())
    assert {**again, "cost": None} == {**finished[2], "cost": None}


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_validation_is_on_training_images_alone():
    cfg = complete(load_config(CONFIGS / "resnet8_1xb32_digits.py", {"subset.images_per_class": 10}))
    init_default_scope(cfg.default_scope)
    before = images(cfg.train_dataloader)
    tests = images(cfg.val_dataloader)
    validate_on_held_out(cfg, 0.3, seed=0)
    train, held_out = images(cfg.train_dataloader), images(cfg.val_dataloader)
    assert (len(train), len(held_out)) == (70, 30)
    assert before == train | held_out
    assert not tests & (train | held_out)
    transforms = [transform["type"] for transform in cfg.val_dataloader.dataset.dataset.dataset.pipeline]
    assert transforms == ["PackInputs"]  # those of the validation


def images(loader) -> set[bytes]:
    dataset = DATASETS.build(loader.dataset)
    return {dataset.get_data_info(index)["img"].tobytes() for index in range(len(dataset))}


def test_schedules_are_squeezed():
    def squeezed(train_cfg, schedulers, share):
        cfg = Config(dict(train_cfg=train_cfg, param_scheduler=schedulers))
        shorten(cfg, share)
        return cfg.to_dict()

    steps = [dict(type="LinearLR", begin=0, end=5), dict(type="MultiStepLR", milestones=[60, 90], begin=5, gamma=0.1)]
    found = squeezed(dict(by_epoch=True, max_epochs=100, val_interval=1, val_begin=50), steps, 0.1)
    assert found["train_cfg"] == dict(by_epoch=True, max_epochs=10, val_interval=10)
    assert found["param_scheduler"][0] == dict(type="LinearLR", begin=0, end=1)
    assert found["param_scheduler"][1] == dict(type="MultiStepLR", milestones=[6, 9], begin=1, gamma=0.1)
    cosine = dict(type="CosineAnnealingLR", T_max=7, by_epoch=False)
    found = squeezed(dict(type="IterBasedTrainLoop", max_iters=7, val_interval=2), cosine, 0.01)
    assert (
        found["train_cfg"]["max_iters"] == found["train_cfg"]["val_interval"] == found["param_scheduler"]["T_max"] == 1
    )


def test_trackers_are_judged_on_the_last_frames_of_the_training_sequences(tmp_path):
    tracking = CONFIGS.parent / "tracking" / "siamfc_alexnet-half_lwdna_1xb8-200_dragonbaby.py"
    cfg = complete(load_config(tracking, {"data_root": str(tmp_path), "lwdna.shrink.criterion": SEARCH}))
    validate_on_held_out(cfg, 0.3, seed=0)
    train, held_out = cfg.train_dataloader.dataset, cfg.val_dataloader.dataset
    assert (train.type, held_out.type) == ("lwdna_mm.TrackingPairs", "lwdna_mm.TrackingSequences")
    assert train.sequences == held_out.sequences == ["DragonBaby"]
    assert [*train.frames, *held_out.frames] == [0, 0.7, 0.7, 1]


def test_what_cannot_be_judged_is_refused(tmp_path):
    options = dict(val_dataloader=None, val_cfg=None, val_evaluator=None)
    path = CONFIGS / "resnet8_lwdna_1xb32_digits.py"
    cfg = complete(load_config(path, {**options, "lwdna.shrink.criterion": SEARCH}))
    with pytest.raises(UserError, match="judged by the config's own validation"):
        validate_on_held_out(cfg, 0.3, seed=0)
    with pytest.raises(UserError, match=r"metric is 'PSNR', but the config takes accuracy/top1"):
        shrink(config(tmp_path, lwdna__shrink__criterion={**SEARCH, "metric": "PSNR"}), tmp_path / "plan.json")
    assert not (tmp_path / "plan.json").exists()
