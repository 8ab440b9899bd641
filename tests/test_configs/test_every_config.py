"""Every config builds, is traced, gets a plan from random scores, is rebuilt, trains one step and infers.

``make test`` does this with one twin of every family of networks, ``make test-full`` with all configs.
"""

import math

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, HOOKS
from torch import nn

from lwdna_mm.engine.config import iterate_datasets
from lwdna_mm.engine.protocol import build_model
from tests.test_configs.batches import random_batch
from tests.test_configs.networks import PATHS, REFERENCES, TWINS, random_plan, read_config, rebuilt, traced

FAMILIES = {
    "resnet8_lwdna_1xb32_digits",
    "vgg11_lwdna_1xb128_cifar10-folder",
    "regnetx-400mf_lwdna_1xb64-220e_tiny-imagenet",
    "densenet40_lwdna_1xb64-300e_cifar10",
    "mobilenetv1-half_lwdna_1xb128-200k_tiny-imagenet-50",
    "mobilenetv2-half_lwdna_1xb128-200k_tiny-imagenet-50",
    "mobilenetv3-small_lwdna_8xb128_in1k",
    "mnasnet_lwdna_1xb64-220e_tiny-imagenet",
    "efficientnet-b0_lwdna_1xb64-220e_tiny-imagenet",
    "edsr-small_lwdna_x2c32b4_1xb16-3000_yang91",
    "srresnet_lwdna_x4c64b16_1xb16-1000k_div2k",
    "dncnn-small_lwdna_sigma25_1xb32-1500_train400",
    "unet-small_lwdna_sigma25_1xb32-1500_train400",
    "siamfc_ciresnet22_lwdna_1xb8-50e_got10k",
    "siamrpn_alexnet-half_lwdna_1xb8-600_dragonbaby",
}


def some(names: list[str]) -> list:
    """The names as parameters, all but those of ``make test`` marked ``full``."""
    return [pytest.param(name, marks=() if name in FAMILIES else pytest.mark.full) for name in names]


def family(name: str) -> set[str]:
    """What a config's network is made of; ``lwdna_mm.CifarResNet`` is a ``ResNet``."""
    model = read_config(name).model
    parts = [model[key] for key in ("backbone", "generator", "head") if key in model]
    return {part.get("backbone", part)["type"].removeprefix("lwdna_mm.").removeprefix("Cifar") for part in parts}


@pytest.mark.parametrize("name", some(list(TWINS)))
def test_twins_are_planned_and_step(name: str, tmp_path) -> None:
    plan, graph = random_plan(name), traced(name)
    assert 0.9 * graph.flops() < plan["flops"] <= graph.flops()
    model = rebuilt(name, plan)
    assert sum(parameter.numel() for parameter in model.parameters()) == plan["params"]
    check_steps(read_config(name), model, tmp_path)


@pytest.mark.parametrize("name", some([name for name in PATHS if name not in TWINS and name not in REFERENCES]))
def test_baselines_step(name: str, tmp_path) -> None:
    cfg = read_config(name)
    check_steps(cfg, build_model(cfg), tmp_path)


@pytest.mark.parametrize("name", some(REFERENCES))
def test_references_infer(name: str) -> None:
    cfg = read_config(name)
    model, scale = build_model(cfg), cfg.model.generator.get("scale", 1)
    channels = model.data_preprocessor.mean.numel()
    outputs = model(torch.rand(1, channels, 16, 16), mode="tensor")
    assert outputs.shape == (1, channels, 16 * scale, 16 * scale)


@pytest.mark.full
def test_every_family_is_in_the_short_tests() -> None:
    assert set(TWINS) >= FAMILIES
    assert set.union(*map(family, TWINS)) == set.union(*map(family, FAMILIES))


def check_steps(cfg: Config, model: nn.Module, folder) -> None:
    """One step by the config's own optimizer, one inference; what else the config names exists."""
    torch.manual_seed(0)
    model.init_weights()
    batch = random_batch(cfg, folder)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    losses = model.train().train_step(batch, build_optim_wrapper(model, cfg.optim_wrapper))
    assert losses
    assert all(math.isfinite(value) for value in losses.values())
    assert any(not torch.equal(value, before[name]) for name, value in model.named_parameters())
    assert all(value.isfinite().all() for value in model.state_dict().values())
    model.eval()
    if cfg.default_scope == "mmpretrain":
        classes = cfg.data_preprocessor.num_classes
        assert [sample.pred_score.shape for sample in model.test_step(batch)] == [(classes,)] * 2
    else:
        inputs = model.data_preprocessor(batch, False)
        inputs = [inputs[key] for key in ("inputs", "exemplar", "search") if key in inputs]
        with torch.no_grad():
            outputs = model(*inputs, mode="tensor")
        assert all(part.isfinite().all() for part in (outputs if isinstance(outputs, tuple) else (outputs,)))
    datasets = [dataset for _, dataset in iterate_datasets(cfg)]
    for registry, entries in ((DATASETS, datasets), (HOOKS, cfg.get("custom_hooks", []))):
        with registry.switch_scope_and_registry(cfg.default_scope) as current:
            assert all(current.get(entry["type"]) is not None for entry in entries)
