"""A loss or gradient that is not finite: where it is met, what it leaves, and how a run goes on past it."""

import math
from argparse import Namespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from lwdna_mm.engine import apply_arguments, run
from lwdna_mm.engine.protocol import complete
from lwdna_mm.engine.shrink_loop import ShrinkLoop
from lwdna_mm.errors import UserError
from lwdna_mm.runs.checkpoint_file import find_last_checkpoint, load_checkpoint_file
from tests.digits_runs import tiny_config


@HOOKS.register_module(force=True)
class SpoilHook(Hook):
    """Spoils the images, or one gradient, of some iterations (the first is 1), and kills the run after one."""

    def __init__(self, images: tuple = (), gradients: tuple = (), kill: int = 0) -> None:
        self.images, self.gradients, self.kill = images, gradients, kill

    def before_train(self, runner) -> None:
        weight = runner.model.backbone.conv1.weight

        def spoil(gradient):
            return gradient * math.nan if runner.iter + 1 in self.gradients else gradient

        weight.register_hook(spoil)

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.iter + 1 in self.images:
            data_batch["inputs"] = [image.float() * math.inf for image in data_batch["inputs"]]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if runner.iter + 1 == self.kill:
            raise KeyboardInterrupt


def spoiled(work_dir, skip: int = 0, **what):
    hooks = [dict(type="SpoilHook", **what)]
    return tiny_config(work_dir, lwdna=False, custom_hooks=hooks, skip_nonfinite=skip, train_cfg__val_interval=9)


def weights(work_dir):
    return load_checkpoint_file(find_last_checkpoint(work_dir))["state_dict"]


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (dict(images=(6,)), "iteration 6: the loss is nan"),
        (dict(gradients=(6,)), r"iteration 6: the gradient of backbone\.conv1\.weight is not finite"),
    ],
)
def test_a_training_ends_there_with_its_last_checkpoint(tmp_path, what, told):
    with pytest.raises(
        UserError, match=f"^{told}.*--cfg-options skip_nonfinite=1 .*the last checkpoint is .*epoch_1.pth$"
    ):
        run(spoiled(tmp_path, **what))
    assert find_last_checkpoint(tmp_path).name == "epoch_1.pth"
    assert all(value.isfinite().all() for value in weights(tmp_path).values())


def test_skipped_batches_leave_nothing_and_are_counted_over_interruptions(tmp_path):
    what = dict(images=(2, 7), gradients=(10,))
    run(spoiled(tmp_path / "whole", skip=3, **what))
    with pytest.raises(KeyboardInterrupt):
        run(spoiled(tmp_path / "cut", skip=3, kill=9, **what))
    run(spoiled(tmp_path / "cut", skip=3, **what), resume=True)
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    assert all(value.isfinite().all() for value in whole.values())
    # Twelve batches, three of which the running statistics have not seen.
    assert whole["backbone.bn1.num_batches_tracked"] == 9
    (tmp_path / "cut" / "last_checkpoint").write_text("epoch_2.pth")
    with pytest.raises(UserError, match=r"iteration 10: .*skip_nonfinite=3"):
        run(spoiled(tmp_path / "cut", skip=2, **what), resume=True)


def test_the_command_line_says_how_many(tmp_path):
    cfg = tiny_config(tmp_path, lwdna=False)
    apply_arguments(cfg, Namespace(skip_nonfinite=2))
    assert dict(type="lwdna_mm.NonFiniteHook", skip=2) in complete(cfg).custom_hooks
    apply_arguments(cfg, Namespace(skip_nonfinite=5))  # to the config that such a run leaves
    assert [hook["skip"] for hook in complete(cfg).custom_hooks if "skip" in hook] == [5]
    with pytest.raises(UserError, match="skip_nonfinite is -1, but must be a whole number"):
        complete(tiny_config(tmp_path, lwdna=False, skip_nonfinite=-1))


def test_it_changes_nothing_where_all_is_finite(tmp_path):
    run(spoiled(tmp_path / "plain"))
    run(spoiled(tmp_path / "watched", skip=5))
    plain, watched = weights(tmp_path / "plain"), weights(tmp_path / "watched")
    assert all(torch.equal(plain[name], watched[name]) for name in plain)


@pytest.fixture
def spoil_search(monkeypatch):
    """Lets one iteration of the search have a loss, or a group's gradient, that is not finite."""
    spoilt = ShrinkLoop.run_iter

    def spoil(iteration: int, group: str | None = None) -> None:
        def run_iter(self, data_batch) -> None:
            hook = next(hook for hook in self.runner.hooks if hasattr(hook, "gates") and hook.priority == "VERY_LOW")
            if self._iter + 1 == iteration and group is None:
                data_batch["inputs"] = [image.float() * math.nan for image in data_batch["inputs"]]
            if self._iter + 1 == iteration and group is not None:
                handle = hook.gates[group].register_hook(lambda gradient: gradient * math.inf)
            spoilt(self, data_batch)
            if self._iter == iteration and group is not None:
                handle.remove()

        monkeypatch.setattr(ShrinkLoop, "run_iter", run_iter)

    return spoil


@pytest.mark.parametrize("warmup", [0, 2])
def test_a_search_ends_there_and_names_the_group(tmp_path, spoil_search, warmup):
    spoil_search(2, "backbone.conv1")
    with pytest.raises(UserError, match=r"^search, iteration 2: the gradient of group 'backbone\.conv1' is not finite"):
        run(tiny_config(tmp_path, lwdna__shrink__warmup_iters=warmup))
    spoil_search(1)
    with pytest.raises(UserError, match=r"^search, iteration 1: the loss is nan"):
        run(tiny_config(tmp_path, lwdna__shrink__warmup_iters=warmup))
    assert not (tmp_path / "plan.json").exists()


def test_a_search_goes_on_past_what_may_be_skipped(tmp_path, spoil_search):
    spoil_search(2)
    run(tiny_config(tmp_path, train_cfg__max_epochs=1, skip_nonfinite=1))
    assert all(value.isfinite().all() for value in load_checkpoint_file(tmp_path / "plan.pth")["state_dict"].values())
