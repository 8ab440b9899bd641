import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from lwdna_mm.engine import load_config, pipeline, run
from lwdna_mm.runs.checkpoint_file import find_last_checkpoint, load_checkpoint_file
from tests.digits_runs import CONFIGS, tiny_config, tiny_options
from tests.tiny_imagenet import WNIDS, write_tiny_imagenet


class KilledError(BaseException):
    """Stands for a kill inside the process."""


@HOOKS.register_module(force=True)
class KillHook(Hook):
    """Raises after an iteration."""

    def __init__(self, after: int) -> None:
        self.after = after

    def after_train_iter(self, runner, **kwargs) -> None:
        if runner.iter + 1 == self.after:
            raise KilledError


def weights(work_dir: Path) -> dict:
    return load_checkpoint_file(find_last_checkpoint(work_dir))["state_dict"]


def assert_equal_runs(first: Path, second: Path) -> None:
    ours, theirs = weights(first), weights(second)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def stochastic(work_dir: Path, **options):
    """A baseline run with augmentation by the data pipeline and stochastic depth in the network."""
    return tiny_config(work_dir, lwdna=False, model__backbone__drop_path_rate=0.5, **options)


EPOCHS = dict(train_cfg__val_interval=1)
ITERS = dict(
    train_cfg=dict(type="IterBasedTrainLoop", max_iters=9, val_interval=4, _delete_=True),
    param_scheduler__by_epoch=False,
    param_scheduler__convert_to_iter_based=False,
    default_hooks__checkpoint=dict(type="CheckpointHook", interval=3, by_epoch=False, _delete_=True),
    log_processor=dict(by_epoch=False),
)
INFINITE = dict(ITERS, train_dataloader__sampler__type="InfiniteSampler")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "protocol",
    [EPOCHS, *(pytest.param(one, marks=pytest.mark.full) for one in (ITERS, INFINITE))],
    ids=["epochs", "iterations", "infinite"],
)
def test_interrupted_equals_uninterrupted(tmp_path, monkeypatch, protocol, workers):
    monkeypatch.setattr("mmengine.runner.loops.time.sleep", lambda seconds: None)
    options = dict(protocol, train_dataloader__num_workers=workers)
    run(stochastic(tmp_path / "whole", **options))
    with pytest.raises(KilledError):
        run(stochastic(tmp_path / "cut", custom_hooks=[dict(type="KillHook", after=8)], **options))
    assert find_last_checkpoint(tmp_path / "cut").name in ("epoch_1.pth", "epoch_2.pth", "iter_6.pth")
    run(stochastic(tmp_path / "cut", **options), resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "cut")


def test_what_a_validation_draws_changes_nothing_after_it(tmp_path, monkeypatch):
    """The run that goes on validates before its first iteration, the other one between two."""
    monkeypatch.setattr("mmengine.runner.loops.time.sleep", lambda seconds: None)
    loop = dict(type="IterBasedTrainLoop", max_iters=5, val_interval=3, _delete_=True)
    options = dict(ITERS, train_cfg=loop, train_dataloader__num_workers=0)
    run(stochastic(tmp_path / "whole", **options))
    with pytest.raises(KilledError):
        run(stochastic(tmp_path / "cut", custom_hooks=[dict(type="KillHook", after=4)], **options))
    assert find_last_checkpoint(tmp_path / "cut").name == "iter_3.pth"
    run(stochastic(tmp_path / "cut", **options), resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "cut")


def test_accumulated_gradients_are_part_of_a_checkpoint(tmp_path, monkeypatch):
    """Checkpoints after every third iteration, steps after every second: 3 is in the middle of one."""
    monkeypatch.setattr("mmengine.runner.loops.time.sleep", lambda seconds: None)
    options = dict(ITERS, optim_wrapper__accumulative_counts=2, train_dataloader__num_workers=0)
    run(stochastic(tmp_path / "whole", **options))
    with pytest.raises(KilledError):
        run(stochastic(tmp_path / "cut", custom_hooks=[dict(type="KillHook", after=4)], **options))
    (saved,) = load_checkpoint_file(tmp_path / "cut" / "iter_3.pth")["accumulated_gradients"]
    assert max(gradient.abs().max() for gradient in saved.values()) > 0
    run(stochastic(tmp_path / "cut", **options), resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "cut")
    # Weights alone are another beginning, in which nothing is pending.
    run(stochastic(tmp_path / "loaded", load_from=str(tmp_path / "cut" / "iter_3.pth"), **options))
    whole, loaded = weights(tmp_path / "whole"), weights(tmp_path / "loaded")
    assert not all(torch.equal(whole[name], loaded[name]) for name in whole)


@pytest.mark.parametrize("after", [6, 10], ids=["validated", "not validated"])
def test_an_early_end_comes_where_it_would_have_come(tmp_path, after):
    """Nothing is better than the first validation, so that the third one after it is the last."""
    options = dict(
        EPOCHS,
        train_cfg__max_epochs=9,
        default_hooks__checkpoint=dict(type="CheckpointHook", interval=1, save_best="auto", _delete_=True),
        optim_wrapper__optimizer__lr=0.0,
        param_scheduler=dict(type="ConstantLR", factor=1.0, _delete_=True),
        model__backbone__norm_eval=True,
    )
    patience = dict(type="EarlyStoppingHook", monitor="accuracy/top1", min_delta=1.0, patience=3)

    def config(name: str, *hooks: dict):
        return tiny_config(tmp_path / name, lwdna=False, custom_hooks=[*hooks, patience], **options)

    run(config("whole"))
    with pytest.raises(KilledError):
        run(config("cut", dict(type="KillHook", after=after)))
    # The first checkpoint is the best one, and so has been saved again after its validation.
    assert find_last_checkpoint(tmp_path / "cut").name == ("epoch_1.pth" if after == 6 else "epoch_2.pth")
    run(config("cut"), resume=True)
    assert [find_last_checkpoint(tmp_path / name).name for name in ("whole", "cut")] == ["epoch_4.pth"] * 2
    assert_equal_runs(tmp_path / "whole", tmp_path / "cut")
    before = (tmp_path / "cut" / "epoch_4.pth").read_bytes()
    run(config("cut"), resume=True)  # it has ended
    assert (tmp_path / "cut" / "epoch_4.pth").read_bytes() == before
    assert not (tmp_path / "cut" / "epoch_5.pth").exists()


def test_a_validation_that_was_cut_is_made_up_for(tmp_path):
    """A scheduler that waits for a plateau, and the best checkpoint, depend on every validation."""
    options = dict(EPOCHS, train_cfg__max_epochs=4)
    options["param_scheduler"] = [
        dict(type="ReduceOnPlateauLR", monitor="accuracy/top1", rule="greater", patience=0, threshold=100.0)
    ]

    @HOOKS.register_module(force=True)
    class KillInValidationHook(Hook):
        def before_val(self, runner) -> None:
            if runner.epoch == 2:
                raise KilledError

    run(tiny_config(tmp_path / "whole", lwdna=False, **options))
    hooks = [dict(type="KillInValidationHook")]
    with pytest.raises(KilledError):
        run(tiny_config(tmp_path / "cut", lwdna=False, custom_hooks=hooks, **options))
    run(tiny_config(tmp_path / "cut", lwdna=False, **options), resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "cut")
    names = [sorted(path.name for path in (tmp_path / name).glob("best*.pth")) for name in ("whole", "cut")]
    assert names[0] == names[1]
    assert len(names[0]) == 1


def test_epochs_do_not_replay_their_augmentation(tmp_path):
    """mmengine's workers do: with the learning rate at 0 the losses of two epochs would be equal."""
    seen = []

    @HOOKS.register_module(force=True)
    class SeeAugmentedHook(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch, outputs) -> None:
            images = torch.stack(data_batch["inputs"]).flatten(1).sum(1)
            seen.append(sorted(images.tolist()))

    cfg = stochastic(
        tmp_path,
        train_dataloader__num_workers=1,
        train_dataloader__batch_size=64,
        custom_hooks=[dict(type="SeeAugmentedHook")],
        train_dataloader__sampler__shuffle=False,
    )
    run(cfg)
    assert seen[0] != seen[1] != seen[2]


def test_killed_in_the_search_then_in_the_training(tmp_path, monkeypatch):
    """SIGKILL twice, at both stages; the run ends with the plan and the weights of an undisturbed one."""
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    command = [sys.executable, str(CONFIGS.parents[1] / "tools" / "train.py")]
    command += [str(CONFIGS / "resnet8_lwdna_1xb32_digits.py"), "--work-dir", str(cut), "--resume", "--cfg-options"]
    command += [f"{key}={value}" for key, value in {**tiny_options(True), "train_cfg.max_epochs": 6}.items()]

    kill_when(command, lambda: list(cut.glob("search/*/*.log")))
    assert not (cut / "plan.json").exists()
    assert not (cut / "last_checkpoint").exists()
    kill_when(command, lambda: (cut / "last_checkpoint").exists())
    plan = (cut / "plan.json").read_bytes()
    assert load_checkpoint_file(find_last_checkpoint(cut))["meta"]["epoch"] < 6

    def no_search(*args):
        raise AssertionError("the search is over")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "search_plan", no_search)
        run(tiny_config(cut, train_cfg__max_epochs=6), resume=True)
    run(tiny_config(whole, train_cfg__max_epochs=6))
    assert (cut / "plan.json").read_bytes() == plan == (whole / "plan.json").read_bytes()
    assert_equal_runs(whole, cut)


def test_killed_between_the_stages(tmp_path, monkeypatch):
    """The plan is there, no checkpoint is: the training begins again from the inherited weights."""
    run(tiny_config(tmp_path / "whole"))
    with pytest.raises(KilledError):
        run(tiny_config(tmp_path / "cut", custom_hooks=[dict(type="KillHook", after=2)]))
    assert find_last_checkpoint(tmp_path / "cut") is None
    monkeypatch.delattr(pipeline, "search_plan")
    run(tiny_config(tmp_path / "cut"), resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "cut")


def kill_when(command: list[str], reached) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 300
    while not reached():
        assert process.poll() is None, "the run has ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_explicit_checkpoint_brings_its_plan(tmp_path):
    run(tiny_config(tmp_path / "first"))
    cfg = tiny_config(tmp_path / "second", train_cfg__max_epochs=4, lwdna__shrink__iters=99)
    run(cfg, resume=tmp_path / "first" / "epoch_3.pth")
    assert (tmp_path / "second" / "plan.json").read_bytes() == (tmp_path / "first" / "plan.json").read_bytes()
    assert load_checkpoint_file(tmp_path / "second" / "epoch_4.pth")["meta"]["epoch"] == 4


@pytest.mark.full
def test_images_kept_in_memory_resume_exactly(tmp_path):
    root = write_tiny_imagenet(tmp_path / "data", train=6)
    options = {
        "data_root": str(root),
        "train_dataloader.dataset.classes": WNIDS,
        "train_dataloader.dataset.images": (0, 6),
        "subset.images_per_class": 5,
        "train_dataloader.batch_size": 4,
        "train_cfg.max_iters": 7,
        "default_hooks.checkpoint.interval": 3,
        "model.backbone.width": 0.25,
        "model.head.in_channels": 256,
        "optim_wrapper.optimizer.lr": 0.01,
    }
    options |= dict.fromkeys(["val_dataloader", "val_cfg", "val_evaluator"])

    def config(name: str, **more):
        path = CONFIGS / "mobilenetv1-half_1xb128-200k_tiny-imagenet-50.py"
        return load_config(path, {**options, "work_dir": str(tmp_path / name), **more})

    run(config("whole"))
    with pytest.raises(KilledError):
        run(config("cut", custom_hooks=[dict(type="KillHook", after=5), dict(type="lwdna_mm.ChannelsLastHook")]))
    assert find_last_checkpoint(tmp_path / "cut").name == "iter_3.pth"
    run(config("cut"), resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "cut")
