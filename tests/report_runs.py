"""Finished runs for tests of what reads them, written by hand."""

import base64
import json

NAMES = ["stem", "layer1.conv1", "layer1.conv2"]
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")


def make_run(path, seed, psnr, criterion=None):
    """A finished work_dir, written by hand."""
    (path / "20260101_000000" / "vis_data").mkdir(parents=True)
    lines = [dict(lr=0.1, loss=1.0 / step, step=step, time=0.1) for step in (10, 20)]
    lines += [dict(lr=0.1, loss=9.0, step=20, time=0.1), {"Set5/PSNR": psnr, "step": 20, "time": 0.1}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (path / "20260101_000000" / "vis_data" / "scalars.json").write_text(text)
    metrics = {"Set5/PSNR": psnr}
    summary = dict(config="edsr", seed=seed, flops=None, params=1000, metrics=dict(best=metrics, last=metrics))
    summary["training"] = dict(samples=100, seconds=10.0)
    if criterion:
        base = dict(flops=5_000_000, params=1000, widths=dict.fromkeys(NAMES, 8))
        plan = dict(criterion=dict(type=criterion), widths={"stem": 12, "layer1.conv1": 4}, baseline=base)
        (path / "plan.json").write_text(json.dumps(plan))
        summary.update(flops=4_900_000, search=dict(samples=5, flops=1, seconds=2.0, share=0.03))
    (path / "summary.json").write_text(json.dumps(summary))
    return path


def make_runs(tmp_path):
    """Two baselines, two LW-DNA runs of one kind, one of another criterion and a random control."""
    dirs = [make_run(tmp_path / f"base{seed}", seed, 30 + seed) for seed in (0, 2)]
    dirs += [make_run(tmp_path / f"lw{seed}", seed, 31.5, "GradientCriterion") for seed in (0, 1)]
    dirs += [make_run(tmp_path / "random", 0, 29.0, "lwdna_mm.RandomCriterion")]
    dirs += [make_run(tmp_path / "taylor", 0, 29.5, "TaylorCriterion")]
    (dirs[2] / "visuals").mkdir()
    (dirs[2] / "visuals" / "baby_x2.png").write_bytes(PIXEL)
    return dirs
