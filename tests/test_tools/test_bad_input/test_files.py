"""Plans and checkpoints that cannot be used, also beside what an earlier run has left."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from lwdna_mm.channels import ChannelPlan
from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.trace import trace
from tests.bad_input import CONFIGS, Bad, both, cut, edit_json, table, write

PLAIN = "{c}/classification/resnet8_1xb32_digits.py"
TWIN = "{c}/classification/resnet8_lwdna_1xb32_digits.py"
FRESH = "--cfg-options lwdna.init=fresh train_dataloader.dataset.train_size=64"


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    """Weights of a network and of another, a plan of it, and the folder of an earlier run."""
    folder = tmp_path_factory.mktemp("good")
    network, other = (
        build_model(load_config(CONFIGS / "classification" / name))
        for name in ("resnet8_1xb32_digits.py", "resnet20_1xb128_cifar10.py")
    )
    hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    at = dict(meta=dict(epoch=1, iter=4), message_hub=hub)
    torch.save(dict(state_dict=network.state_dict(), **at), folder / "base.pth")
    torch.save(dict(state_dict=other.state_dict(), **at), folder / "other.pth")
    shape = dict(input_shape=[[1, 8, 8]])
    graph = trace(network, shape)
    meta = dict(fingerprint=graph.fingerprint, **shape)
    ChannelPlan(graph.scaled(0.5).widths, meta).to_json(folder / "plan.json")
    (folder / "run").mkdir()
    for name in ("plan.json", "summary.json", "last_checkpoint", "resnet8_lwdna_1xb32_digits.py"):
        (folder / "run" / name).write_text("of an earlier run")
    return folder


def plan(name: str, spoil: Callable[[Path], object], *wanted: str, full: bool = False) -> Bad:
    """A plan.json that is given for the training in the folder of another run."""
    return Bad(f"plan: {name}", f"train {TWIN} --plan plan.json --work-dir run {FRESH}", wanted, spoil, full)


def changed(**changes: object) -> Callable[[Path], None]:
    return edit_json("plan.json", **changes)


PLANS = [
    Bad("plan: none", f"train {TWIN} --plan none.json", ("none.json: no such plan file; write one with",)),
    Bad("plan: a folder", f"train {TWIN} --plan run", ("run: not a plan in JSON", "Is a directory")),
    Bad("plan: no weights", f"train {TWIN} --plan plan.json", ("plan.pth: no weights", "give", "lwdna.init=fresh")),
    Bad("plan: timed, none", f"latency {PLAIN} --plan none.json", ("none.json: no such plan file; write one with",)),
    Bad(
        "plan: other weights",
        f"train {TWIN} --plan plan.json",
        ("plan.pth is of another network: backbone.conv1.weight is of shape (16, 3, 3, 3) there",),
        lambda folder: (folder / "other.pth").rename(folder / "plan.pth"),
        full=True,
    ),
    plan("no JSON", write("plan.json", "text"), "plan.json: not a plan in JSON"),
    plan("empty", write("plan.json"), "plan.json: not a plan in JSON"),
    plan("cut", cut("plan.json"), "plan.json: not a plan in JSON", "line"),
    plan("no text", write("plan.json", b"\x00\xff"), "plan.json: not a plan in JSON"),
    plan("a list", write("plan.json", "[]"), "plan.json: a plan needs the key 'widths'"),
    plan("words for widths", changed(widths={"a": "b"}), "plan.json: a plan needs", "a whole number for each group"),
    plan("a width of 0", changed(widths={"backbone.conv1": 0}), "plan.json: group 'backbone.conv1': 0", "at least 1"),
    plan(
        "a huge width",
        changed(widths={"backbone.conv1": 10**9}),
        "plan.json",
        "'backbone.conv1'",
        "more than 16 times",
        full=True,
    ),
    plan("an unknown group", changed(widths={"backbone.conv9": 3}), "plan.json", "'backbone.conv9'; did you mean"),
    plan("another network's", changed(fingerprint="0" * 12), "plan.json: the plan belongs to another network"),
    plan(
        "other inputs",
        changed(input_shape=[[3, 8, 8]]),
        "plan.json: the network does not run on",
        "see input_shape",
        full=True,
    ),
    plan("huge inputs", changed(input_shape=[[1, 80000, 80000]]), "plan.json", "input_shape", "elements", full=True),
]


def resave(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        checkpoint = torch.load(folder / "base.pth")
        change(checkpoint)
        torch.save(checkpoint, folder / "base.pth")

    return spoil


def drop(*keys: str, checkpoint: dict) -> None:
    for key in keys[:-1]:
        checkpoint = checkpoint[key]
    del checkpoint[keys[-1]]


def without(*keys: str) -> Callable[[Path], None]:
    return resave(lambda checkpoint: partial(drop, *keys)(checkpoint=checkpoint))


def weights(name: str, spoil: Callable[[Path], object], *wanted: str, full: bool = False) -> Bad:
    return Bad(f"weights: {name}", f"test {PLAIN} base.pth --work-dir run", wanted, spoil, full)


CUT = "it is cut, or not written by torch.save"
CHECKPOINTS = [
    Bad("weights: none", f"test {PLAIN} none.pth", ("none.pth: no such checkpoint",)),
    Bad("weights: a folder", f"test {PLAIN} run", ("run: no such checkpoint",)),
    Bad(
        "weights: of another network",
        f"test {PLAIN} other.pth",
        ("other.pth is of another network: backbone.conv1",),
        full=True,
    ),
    Bad(
        "weights: of another plan",
        f"test {PLAIN} base.pth --plan plan.json",
        ("base.pth is of another network",),
        full=True,
    ),
    Bad(
        "weights: no safetensors",
        f"test {PLAIN} a.safetensors",
        ("cannot be read as safetensors",),
        write("a.safetensors", "a"),
    ),
    Bad("weights: exported", f"export_onnx {PLAIN} other.pth", ("other.pth is of another network: backbone.conv1",)),
    weights("cut", cut("base.pth"), "base.pth", CUT),
    weights("empty", write("base.pth"), "base.pth", CUT),
    weights("text", write("base.pth", "text"), "base.pth", CUT),
    weights("no state_dict", without("state_dict"), "base.pth: not a checkpoint of mmengine, it has no 'state_dict'"),
    weights(
        "a layer is missing",
        without("state_dict", "backbone.conv1.weight"),
        "backbone.conv1.weight is absent there",
        full=True,
    ),
    weights(
        "other classes",
        resave(lambda one: one["meta"].update(dataset_meta=dict(classes=["a"]))),
        "test_dataloader: its 10 classes must be the 1 that base.pth was trained on",
    ),
    Bad("resume: none", f"train {PLAIN} --resume none.pth", ("none.pth: no such checkpoint",)),
    Bad(
        "resume: other",
        f"train {PLAIN} --resume other.pth --work-dir run",
        ("other.pth is of another network",),
        full=True,
    ),
    Bad(
        "resume: weights alone",
        f"train {PLAIN} --resume base.pth --work-dir run",
        ("base.pth: cannot be resumed, it does not say where in its training",),
        without("message_hub"),
        full=True,
    ),
    Bad(
        "resume: an empty note",
        f"train {PLAIN} --resume --work-dir run",
        ("last_checkpoint is empty: write the name", "or delete it"),
        write("run/last_checkpoint"),
    ),
    Bad(
        "resume: the last one is gone",
        f"train {PLAIN} --resume --work-dir run",
        ("epoch_3.pth is not there", "without --resume the training begins anew"),
        write("run/last_checkpoint", "epoch_3.pth"),
    ),
    Bad(
        "resume: a damaged plan",
        f"train {TWIN} --resume --work-dir run",
        ("run/plan.json: not a plan in JSON",),
        both(write("run/last_checkpoint", "epoch_3.pth"), lambda folder: (folder / "run/last_checkpoint").unlink()),
    ),
]


@table(*PLANS, *CHECKPOINTS)
def test_plans_and_checkpoints(bad, refused):
    refused(bad)
