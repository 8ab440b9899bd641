"""What of the optimizer's wrapper a search uses."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from lwdna_mm.engine.shrink_hook import ShrinkHook
from lwdna_mm.engine.shrink_loop import BackwardOnly


class Amp(OptimWrapper):
    """As mmengine's AmpOptimWrapper, which needs an accelerator."""

    def __init__(self, optimizer, dtype):
        super().__init__(optimizer)
        self.loss_scaler, self.cast_dtype = object(), dtype

    @contextmanager
    def optim_context(self, model):
        with super().optim_context(model), torch.autocast("cpu", self.cast_dtype or torch.float16):
            yield


@pytest.mark.parametrize(
    ("dtype", "seen"), [(None, torch.float32), (torch.float16, torch.float32), (torch.bfloat16, torch.bfloat16)]
)
def test_gradients_are_not_taken_in_float16(dtype, seen):
    """Without a scale of the loss most would be 0."""
    layer = nn.Linear(4, 4)
    wrapper = BackwardOnly(Amp(torch.optim.SGD(layer.parameters(), 0.1), dtype))
    with wrapper.optim_context(layer):
        assert layer(torch.rand(2, 4)).dtype == seen


@pytest.mark.parametrize("trained", [True, False])
def test_gradients_of_trained_gates_are_the_optimizers(trained):
    """They may be accumulated over several mini-batches."""
    gate = nn.Parameter(torch.ones(3))
    gate.grad = torch.ones(3)
    hook = SimpleNamespace(gates={"a": gate}, trained=[gate] if trained else [])
    ShrinkHook.after_train_iter(hook, SimpleNamespace(train_loop=SimpleNamespace(observing=False)), 0)
    assert (gate.grad is not None) == trained
