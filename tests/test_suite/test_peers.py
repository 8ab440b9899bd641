import copy
import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lwdna_mm.channels import ChannelGraph, analyze, resize
from lwdna_mm.engine import run, shrink
from lwdna_mm.engine.shrink_hook import ShrinkHook
from lwdna_mm.errors import UserError
from lwdna_mm.models.builders import resize_fresh
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
from lwdna_mm.runs.grouping import read_run
from lwdna_mm.suite import peers
from lwdna_mm.suite.peers import TorchPruningHook, prune, torch_pruning_plan
from tests.digits_runs import tiny_config
from tests.test_shrink.nets import classifier, graph_of, images


def conv(inputs, outputs, kernel=1, groups=1):
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.ReLU6())


@MODELS.register_module()
class TinyMobileNet(nn.Module):
    """The layers of MobileNetV1 and V2: a separable convolution, and an inverted residual block."""

    def __init__(self):
        super().__init__()
        self.stem = conv(1, 8, 3)
        self.separable = nn.Sequential(conv(8, 8, 3, groups=8), conv(8, 12))
        self.inverted = nn.Sequential(conv(12, 24), conv(24, 24, 3, groups=24), nn.Conv2d(24, 12, 1, bias=False))
        self.last = conv(12, 16)

    def forward(self, x):
        x = self.separable(self.stem(x))
        return (self.last(x + self.inverted(x)),)


def digits_config(work_dir: Path, backbone: str) -> Config:
    cfg = tiny_config(work_dir, train_cfg__max_epochs=1)
    if backbone == "TinyMobileNet":
        cfg.model.backbone, cfg.model.head.in_channels = dict(type=backbone), 16
    return cfg


def widened(name: str) -> tuple[nn.Module, ChannelGraph, dict[str, torch.Tensor]]:
    """A network widened twice, its graph, and the gradients of some loss."""
    wide = resize_fresh(classifier(name), graph_of(name), graph_of(name).scaled(2.0)).double()
    for module in wide.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    wide.train()
    wide(images()).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in wide.named_parameters()}
    return wide, analyze(wide, images()[:1]), gradients


def flops(model: nn.Module) -> int:
    model.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(images()[:1])
    return counter.get_total_flops() // 2


def test_without_the_package_its_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    with pytest.raises(UserError, match=r"not installed: pip install 'lwdna_mm\[peers\]'"):
        torch_pruning_plan(tiny_config(tmp_path), tmp_path / "plan.json")


@pytest.mark.parametrize("name", ["ResNet-CIFAR", "RegNetX"])
def test_it_is_what_torch_pruning_does_by_itself(name, monkeypatch):
    tp = pytest.importorskip("torch_pruning")
    monkeypatch.setattr(peers, "STEPS", 100)
    wide, graph, gradients = widened(name)
    limit = graph_of(name).flops()
    plan, pruned = prune(wide, graph, gradients, lambda plan: graph.flops(plan) <= limit)
    by_hand = copy.deepcopy(wide)
    for key, parameter in by_hand.named_parameters():
        parameter.grad = gradients[key]
    pruner = tp.pruner.BasePruner(
        by_hand,
        images()[:1],
        tp.importance.GroupTaylorImportance(),
        global_pruning=True,
        pruning_ratio=1.0,
        iterative_steps=100,
        ignored_layers=[by_hand.head.fc],
    )
    while flops(by_hand) > limit:
        pruner.step()
    small = resize(wide, graph, plan).eval()
    assert flops(small) == graph.flops(plan) == flops(by_hand)
    assert 0.95 * limit <= graph.flops(plan) <= limit
    assert torch.equal(small(images()), by_hand(images()))
    assert torch.equal(small(images()), pruned.eval()(images()))


def test_widths_are_multiples_of_the_divisor():
    pytest.importorskip("torch_pruning")
    wide, graph, gradients = widened("ResNet-CIFAR")
    plan, _ = prune(wide, graph, gradients, lambda plan: graph.flops(plan) <= graph_of("ResNet-CIFAR").flops(), 8)
    assert all(width % 8 == 0 for width in plan.widths.values())


@pytest.mark.parametrize("backbone", ["CifarResNet", "TinyMobileNet"])
def test_its_plan_is_trained_like_ours(tmp_path, backbone):
    pytest.importorskip("torch_pruning")
    cfg = digits_config(tmp_path / "search", backbone)
    cfg.lwdna.shrink.gate = dict(type="LatentHypernet")
    plan = torch_pruning_plan(cfg, tmp_path / "plan.json")
    assert not {"gate", "grow_last"} & set(plan.meta)  # they had no part in it
    # In networks as small as these one channel is worth several percent.
    assert 0.9 * plan.meta["baseline"]["flops"] <= plan.meta["flops"] <= plan.meta["baseline"]["flops"]
    assert len(set(plan.widths[name] / width for name, width in plan.meta["baseline"]["widths"].items())) > 2
    assert plan.meta["criterion"]["type"] == "torch-pruning"
    assert plan.meta["criterion"]["version"] == version("torch-pruning")
    summary = run(digits_config(tmp_path / "run", backbone), plan=tmp_path / "plan.json")
    assert summary["flops"] == plan.meta["flops"]
    assert summary["search"]["samples"] == 3 * 16
    assert summary["init"] == "inherit"
    assert read_run(tmp_path / "run").label == "torch-pruning"
    shrink(digits_config(tmp_path / "ours", backbone), tmp_path / "ours.json")
    ours = json.loads((tmp_path / "ours.json").read_text())
    assert set(ours) == set(plan.meta) | {"widths", "grow_last"}
    assert list(ours["widths"]) == list(plan.widths)


def test_it_sees_the_network_and_the_images_that_our_search_sees(tmp_path):
    pytest.importorskip("torch_pruning")
    seen = []

    def spy(kind: type) -> type:
        class Spy(kind):
            def __init__(self, model, *args):
                seen.append([parameter.detach().clone() for parameter in model.parameters()])
                super().__init__(model, *args)

            def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
                super().after_train_iter(runner, batch_idx, data_batch, outputs)
                seen[-1].extend(data_batch["inputs"])

        return Spy

    for kind in (TorchPruningHook, ShrinkHook):
        shrink(tiny_config(tmp_path), tmp_path / "plan.json", spy(kind))
    assert len(seen[0]) == len(seen[1]) > 3 * 16
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


def test_gradients_are_summed_over_the_batches_and_no_weight_moves(tmp_path):
    pytest.importorskip("torch_pruning")
    one, rows = {}, {}

    class Spy(TorchPruningHook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
            for name, parameter in self.model.named_parameters():
                one[name] = one.get(name, 0) + parameter.grad

        def after_train(self, runner):
            assert all(torch.equal(one[name], gradient) for name, gradient in self.gradients.items())
            rows.update((row.tobytes(), i) for i, row in enumerate(self.model.backbone.conv1.weight.detach().numpy()))
            super().after_train(runner)

    shrink(tiny_config(tmp_path), tmp_path / "plan.json", Spy)
    assert len(one) > 10
    small = load_checkpoint_file(tmp_path / "plan.pth")["state_dict"]["backbone.conv1.weight"]
    kept = [rows[row.tobytes()] for row in small.numpy()]
    assert kept == sorted(kept)


def test_channels_coupled_otherwise_are_named():
    pytest.importorskip("torch_pruning")

    class Offset(nn.Module):
        """An offset for every channel and place, of whose parameter Torch-Pruning would prune the last dimension."""

        def __init__(self):
            super().__init__()
            self.offset = nn.Parameter(torch.rand(8, 6, 6))

        def forward(self, x):
            return x + self.offset

    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), Offset(), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 2, 1))
    inputs = torch.rand(4, 3, 8, 8)
    graph = analyze(model, inputs[:1])
    model(inputs).square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    with pytest.raises(UserError, match="couples the channels of layer '1' otherwise"):
        prune(model, graph, gradients, lambda plan: graph.flops(plan) <= 0.5 * graph.flops())


def test_a_layer_without_gradient_is_named():
    pytest.importorskip("torch_pruning")
    wide, graph, gradients = widened("ResNet-CIFAR")
    for name in ("conv1", "conv2"):
        gradients[f"backbone.layer2.0.{name}.weight"] *= 0
    with pytest.raises(UserError, match=r"cannot judge layer 'backbone.layer2.0.conv1': its gradient is zero"):
        prune(wide, graph, gradients, lambda plan: False)


def test_a_budget_out_of_reach(monkeypatch):
    pytest.importorskip("torch_pruning")
    monkeypatch.setattr(peers, "STEPS", 20)
    wide, graph, gradients = widened("ResNet-CIFAR")
    with pytest.raises(UserError, match=r"stops at [\d,]+ flops and [\d,]+ parameters, above lwdna.budget: raise it"):
        prune(wide, graph, gradients, lambda plan: graph.flops(plan) <= 1000)
