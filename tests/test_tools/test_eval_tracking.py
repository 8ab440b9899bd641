"""The tracking tools, run in this process with sockets blocked."""

import json
import re
import runpy
import shutil
import socket
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.tracking_data import make_got10k, make_otb

ROOT = Path(__file__).resolve().parents[2]

SMALL = """
_base_ = '{root}/configs/tracking/siamfc_alexnet-half_lwdna_1xb8-200_dragonbaby.py'
model = dict(backbone=dict(channels=(8, 16, 16, 16, 16)), head=dict(scale=1e-2))
train_dataloader = dict(
    batch_size=4, dataset=dict(sequences=['Crossing'], pairs_per_sequence=32, recolour=0, search_size=239))
lwdna = dict(shrink=dict(iters=2))
param_scheduler = dict(T_max=2, end=2)
train_cfg = dict(max_epochs={epochs}, val_interval=2)
"""


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Any attempt to reach a host fails the test."""

    def refuse(*args, **kwargs):
        raise AssertionError(f"network access: {args}")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def run(tool, *args):
    """A tool's main function, as the shell would call it."""
    runpy.run_path(str(ROOT / "tools" / f"{tool}.py"))["main"]([str(arg) for arg in args])


def refused(capsys, tool, *args):
    """The one line of error that a tool ends with."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        run(tool, *args)
    assert caught.value.code == 2
    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(error) == 1
    return error[0]


def performance(out, benchmark, tracker):
    file = out / "reports" / benchmark / tracker / "performance.json"
    return json.loads(file.read_text())[tracker]["overall"]


def test_otb_without_a_network(tmp_path, capsys):
    root, out = tmp_path / "otb", tmp_path / "out"
    make_otb(root, "Crossing")
    make_otb(root, "Walking", 5)
    run("eval_otb", "--tracker", "groundtruth", "--root", root, "--out", out, "--vis", "strip")
    assert performance(out, "OTB2015", "GroundTruth")["success_score"] == pytest.approx(20 / 21)
    strip = cv2.imread(str(out / "vis" / "GroundTruth" / "Walking.png"))
    assert strip.shape == (2 * 256, 4 * 320, 3)
    run("eval_otb", "--tracker", "identity", "--root", root, "--out", out, "--sequences", "Walking")
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.match(r"IdentityTracker on 1 sequences: success_score 0\.\d+ precision_score 0\.600", last)


def test_got10k_without_a_network(tmp_path, capsys):
    make_got10k(tmp_path)
    args = ("eval_got10k", "--tracker", "groundtruth", "--root", tmp_path, "--out", tmp_path / "out")
    run(*args)
    overall = performance(tmp_path / "out", "GOT-10k", "GroundTruth")
    assert overall["ao"] == pytest.approx(1)
    assert overall["sr_75"] == 1
    assert "--Sequence 1/1: GOT-10k_Val_000001" in capsys.readouterr().out
    # Other annotations in the same place are not scored by the results of the first.
    boxes = tmp_path / "val" / "GOT-10k_Val_000001" / "groundtruth.txt"
    np.savetxt(boxes, np.loadtxt(boxes, delimiter=",") + 1, fmt="%.4f", delimiter=",")
    run(*args)
    assert performance(tmp_path / "out", "GOT-10k", "GroundTruth")["ao"] == pytest.approx(1)


def test_a_frame_that_is_no_image_leaves_no_results(tmp_path, capsys):
    make_otb(tmp_path)
    (tmp_path / "Crossing" / "img" / "0004.jpg").write_text("no image")
    for tracker in ("groundtruth", "identity"):
        args = ("--tracker", tracker, "--root", tmp_path, "--out", tmp_path / "out")
        assert "Crossing/img/0004.jpg: no image that can be decoded" in refused(capsys, "eval_otb", *args)
    assert not list(tmp_path.glob("out/**/*.txt"))
    assert not (Path.cwd() / "work_dirs" / "tracking" / "results").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small LW-DNA tracker: trained for two epochs at once, and for one and then resumed for another."""
    folder = tmp_path_factory.mktemp("trained")
    make_otb(folder / "otb")
    data = ("--cfg-options", f"data_root={folder / 'otb'}")
    for name, epochs in (("two", 2), ("one", 1)):
        (folder / f"{name}.py").write_text(SMALL.format(root=ROOT, epochs=epochs))
    run("train", folder / "two.py", "--work-dir", folder / "whole", *data)
    run("train", folder / "one.py", "--work-dir", folder / "resumed", *data)
    run("train", folder / "two.py", "--work-dir", folder / "resumed", "--resume", *data)
    return folder


def _weights(file):
    return torch.load(file, weights_only=False)["state_dict"]


def test_resumed_training_equals_the_uninterrupted_one(trained):
    whole, resumed = (_weights(trained / name / "epoch_2.pth") for name in ("whole", "resumed"))
    first = _weights(trained / "resumed" / "epoch_1.pth")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not all(torch.equal(whole[name], first[name]) for name in whole)
    # The search changed the widths, but not the embedding's.
    assert whole["backbone.embedding.weight"].shape[0] == 16
    assert [whole[f"backbone.layer{i}.0.weight"].shape[0] for i in (1, 2, 3, 4)] != [8, 16, 16, 16]


def test_trained_network_is_evaluated_and_its_results_carry_its_hash(trained, capsys):
    out = trained / "out"
    network = (trained / "two.py", trained / "resumed" / "epoch_1.pth", "--root", trained / "otb")
    error = refused(capsys, "eval_otb", *network, "--out", trained / "two.py")
    assert re.search("two.py/results/OTB2015.*: Not a directory", error)
    args = ("--root", trained / "otb", "--out", out, "--vis", "video")
    for epoch in (1, 2):
        run("eval_otb", trained / "two.py", trained / "resumed" / f"epoch_{epoch}.pth", *args)
    said = capsys.readouterr().out
    assert "Found results" not in said
    first, second = re.findall(r"^(two-[0-9a-f]{8}) on 1 sequences", said, re.MULTILINE)
    assert first != second
    video = cv2.VideoCapture(str(out / "vis" / first / "Crossing.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 12
    # The validation during the training tracked the same frames with the same weights.
    summary = json.loads((trained / "resumed" / "summary.json").read_text())
    scores = performance(out, "OTB2015", second)
    assert scores["success_score"] == pytest.approx(summary["metrics"]["last"]["otb/success"])
    assert scores["success_score"] > 0.6
    # The same weights and config are the same tracker.
    run("eval_otb", trained / "two.py", trained / "resumed" / "epoch_2.pth", *args)
    assert "Found results, skipping" in capsys.readouterr().out
    run("eval_otb", trained / "two.py", trained / "resumed" / "epoch_2.pth", *args, "--overwrite")
    assert "Found results" not in capsys.readouterr().out


def test_own_video(trained, capsys):
    frames, out = trained / "otb" / "Crossing" / "img", trained / "own"
    network = (trained / "two.py", trained / "whole" / "epoch_2.pth")
    run("track", *network, frames, "--box", "31,41,30,36", "--out", out)
    boxes = np.loadtxt(out / "boxes.txt", delimiter=",")
    assert boxes.shape == (12, 4)
    assert boxes[0].tolist() == [31, 41, 30, 36]
    # Its own output, a video, can be tracked as well.
    run("track", *network, out / "video.mp4", "--box", "31,41,30,36", "--out", trained / "again")
    assert len(np.loadtxt(trained / "again" / "boxes.txt", delimiter=",")) == 12
    broken = trained / "broken"
    shutil.copytree(frames, broken)
    content = (broken / "0007.jpg").read_bytes()
    (broken / "0007.jpg").write_bytes(content[: len(content) // 2])
    error = refused(capsys, "track", *network, broken, "--box", "31,41,30,36", "--out", trained / "bad")
    assert "broken/0007.jpg: the file is cut off" in error
    assert not (trained / "bad").exists()


def test_checkpoint_of_another_network(trained, capsys):
    config = trained / "other.py"
    config.write_text(SMALL.format(root=ROOT, epochs=1).replace("16, 16)", "16, 20)"))
    checkpoint = {"state_dict": _weights(trained / "whole" / "epoch_2.pth")}
    torch.save(checkpoint, trained / "bare.pth")
    error = refused(capsys, "eval_otb", config, trained / "bare.pth", "--root", trained / "otb")
    assert "bare.pth is of another network" in error
