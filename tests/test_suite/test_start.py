"""What the start is: under batch norm smaller weights are a higher learning rate (docs/evidence/start.md)."""

import copy
import math

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lwdna_mm.channels import resize
from lwdna_mm.engine import load_config
from lwdna_mm.models.builders import resize_fresh
from lwdna_mm.models.trace import trace
from lwdna_mm.registry import MODELS
from lwdna_mm.suite.config import load_suite
from tests.digits_runs import CONFIGS

SUITE = load_suite(CONFIGS.parent / "suites" / "tiny_mobilenet_v1.py")
CONFIG = SUITE.tasks["50"].config
FACTOR = math.sqrt(2)


def build(cfg: Config) -> nn.Module:
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg.model, _scope_="mmpretrain"))
    model.init_weights()
    return model


def convolutions(model: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: module for name, module in model.named_modules() if isinstance(module, nn.Conv2d)}


def test_inherited_weights_are_smaller_by_the_square_root_of_the_widening():
    cfg = load_config(CONFIG)
    model, shapes = build(cfg), dict(input_shape=[cfg.lwdna.input_shape])
    graph = trace(model, shapes)
    wide = resize_fresh(model, graph, graph.scaled(2.0))
    cut = resize(wide, trace(wide, shapes), graph.scaled(1.0))
    large = {name: conv for name, conv in convolutions(cut).items() if conv.weight.numel() > 4000}
    assert len(large) > 10
    for name, conv in large.items():
        ratio = model.get_submodule(name).weight.std() / conv.weight.std()
        assert abs(ratio - FACTOR) < 0.1, (name, ratio)


def train(model: nn.Module, cfg: Config, images: torch.Tensor, labels: torch.Tensor) -> list[float]:
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    losses = []
    for _ in range(4):
        loss = nn.functional.cross_entropy(model(images, mode="tensor"), labels)
        wrapper.update_params(loss)
        losses.append(loss.item())
    return losses


def test_smaller_weights_are_a_higher_learning_rate():
    """The ``-rate`` arms do to fresh weights, step for step, what the same steps do to weights divided by sqrt(2)."""
    rate = {name: value for name, value in SUITE.arms["baseline-rate"].options.items() if name != "lwdna"}
    as_smaller, as_faster = load_config(CONFIG, {"lwdna": None}), load_config(CONFIG, {"lwdna": None, **rate})
    fresh = build(as_smaller).double()
    for module in fresh.modules():
        if isinstance(module, _BatchNorm):
            module.eps = 1e-30  # else the scale is seen, a little
    smaller = copy.deepcopy(fresh)
    with torch.no_grad():
        for conv in convolutions(smaller).values():
            conv.weight /= FACTOR
    images, labels = torch.rand(8, 3, 64, 64).double(), torch.arange(8)

    expected = train(smaller, as_smaller, images, labels)
    torch.testing.assert_close(train(copy.deepcopy(fresh), as_faster, images, labels), expected, rtol=1e-9, atol=0)
    plain = train(fresh, as_smaller, images, labels)
    assert abs(plain[0] - expected[0]) < 1e-9
    assert abs(plain[-1] - expected[-1]) > 1e-3
