"""Measure what the package costs: analysis, search, gates, training."""

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import nn

from lwdna_mm.errors import Parser, one_line
from lwdna_mm.files import check_target, write_atomically
from lwdna_mm.options import add_config_options, add_training_options, whole
from lwdna_mm.tables import Row, print_table

BACKBONES = {
    "ResNet-50": (dict(type="mmpretrain.ResNet", depth=50), 2048),
    "ResNet-50 x2": (dict(type="mmpretrain.ResNet", depth=50, stem_channels=128, base_channels=128), 4096),
    "DenseNet-121": (dict(type="mmpretrain.DenseNet", arch="121"), 1024),
    "MobileNetV2": (dict(type="mmpretrain.MobileNetV2"), 1280),
    "EfficientNet-B0": (dict(type="mmpretrain.EfficientNet", arch="b0"), 1280),
    "RegNetX-3.2GF": (dict(type="mmpretrain.RegNet", arch="regnetx_3.2gf"), 1008),
}
GATES = ("plain", "gates", "hypernetwork")


def build(name: str) -> nn.Module:
    """Build a classifier of 1000 classes on one of the backbones."""
    from lwdna_mm.registry import MODELS

    backbone, channels = BACKBONES[name]
    return MODELS.build(
        dict(
            type="mmpretrain.ImageClassifier",
            backbone=dict(backbone),
            neck=dict(type="mmpretrain.GlobalAveragePooling"),
            head=dict(type="mmpretrain.LinearClsHead", num_classes=1000, in_channels=channels),
        )
    )


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Median wall time of ``function``, in seconds, after one call that does not count."""
    function()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def analyze(args: argparse.Namespace) -> list[Row]:
    """Time the analysis of five networks at 224 x 224; with --peer, beside Torch-Pruning on one thread."""
    from lwdna_mm.channels import analyze
    from lwdna_mm.suite.peer_times import compare_engines

    if args.peer:
        torch.set_num_threads(1)
    rows = []
    for name in ("ResNet-50", "DenseNet-121", "MobileNetV2", "EfficientNet-B0", "RegNetX-3.2GF"):
        model, image = build(name), torch.rand(1, 3, 224, 224)
        if args.peer:
            rows.append({"network": name, **compare_engines(model, image, args.repeats)})
        else:
            found = len(analyze(model, image).groups)
            spent = seconds(lambda model=model, image=image: analyze(model, image), args.repeats)
            rows.append({"network": name, "groups": found, "analysis (s)": spent})
    return rows


def search(args: argparse.Namespace) -> list[Row]:
    """Time the search of a twice widened ResNet-50 for the baseline's FLOPs, with random scores."""
    from lwdna_mm.channels import analyze
    from lwdna_mm.shrink import RandomCriterion, search

    image = torch.rand(1, 3, 224, 224)
    baseline, wide = analyze(build("ResNet-50"), image), analyze(build("ResNet-50 x2"), image)
    scores = RandomCriterion(seed=0).scores(wide)
    rows = []
    for policy in ("threshold", "density"):
        for divisor in (1, 8):

            def find(policy=policy, divisor=divisor):
                return search(wide, scores, 1.0, divisor=divisor, policy=policy, relative_to=baseline)

            rows.append(
                {
                    "policy": policy,
                    "divisor": divisor,
                    "search (ms)": 1e3 * seconds(find, args.repeats),
                    "FLOPs / budget": wide.flops(find()) / baseline.flops(),
                }
            )
    return rows


def gates(args: argparse.Namespace) -> list[Row]:
    """Compare steps of the twice widened ResNet-50 without gates, with gates and with a hypernetwork.

    The hypernetwork is the paper's, embedding size 2. For the times, steps of all kinds take turns in one process, so
    that other load on the machine meets all. For the memory, each kind has a process of its own, whose peak above the
    imports is measured.
    """
    # Memory first: a new process starts with the peak of the one that starts it.
    peaks = {}
    for kind in GATES:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            peaks[kind] = pool.submit(peak_memory, kind, args.batch, args.size).result()
    times = step_times(args.batch, args.size, args.steps)
    plain = times["plain"]
    return [
        {
            "ResNet-50 x2": kind,
            "step (s)": statistics.median(times[kind]),
            "/ plain": statistics.median(own / other for own, other in zip(times[kind], plain, strict=True)),
            "peak memory (MB)": peaks[kind],
            "memory / plain": peaks[kind] / peaks["plain"],
        }
        for kind in GATES
    ]


def step_times(batch: int, size: int, steps: int) -> dict[str, list[float]]:
    """Wall times of ``steps`` steps of each kind, by turns, in seconds."""
    steps_of = widened_steps(batch, size)
    times: dict[str, list[float]] = {kind: [] for kind in GATES}
    for _ in range(steps + 1):
        for kind, values in times.items():
            values.append(steps_of(kind))
    return {kind: values[1:] for kind, values in times.items()}  # the first ones warm up


def peak_memory(kind: str, batch: int, size: int) -> float:
    """Peak memory that the network and two steps add to this process, in MB."""
    from lwdna_mm import shrink  # noqa: F401  imported before the memory is looked at

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = widened_steps(batch, size)
    for _ in range(2):
        step(kind)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def widened_steps(batch: int, size: int) -> Callable[[str], float]:
    """A function that runs one step of the search, of a kind of gates, and returns its wall time in seconds."""
    from lwdna_mm.channels import analyze
    from lwdna_mm.shrink import GradientCriterion, LatentHypernet, attach_gates

    torch.manual_seed(0)
    model = build("ResNet-50 x2")
    images = torch.rand(batch, 3, size, size)
    graph = analyze(model, images[:1])
    model.train()
    criterion = GradientCriterion()

    def step(kind: str) -> float:
        gates = None
        if kind != "plain":
            gates = attach_gates(model, graph) if kind == "gates" else LatentHypernet(2).attach(model, graph)
        started = time.perf_counter()
        model(images).square().mean().backward()
        if gates:
            criterion.observe(gates)
        model.zero_grad()
        took = time.perf_counter() - started
        if gates:
            gates.remove()
        return took

    return step


def latents(args: argparse.Namespace) -> list[Row]:
    """Compare the plans of searches with plain gates and with the paper's hypernetwork."""
    from lwdna_mm.apis.hypernet import compare_gates

    return compare_gates(args.config, args.cfg_options or {}, Path(args.work_dir), range(args.seeds))


def train(args: argparse.Namespace) -> list[Row]:
    """Compare training by the pipeline with a plain PyTorch loop; they take turns in blocks of steps."""
    from lwdna_mm.engine import apply_arguments, load_config
    from lwdna_mm.engine.side_by_side import compare_training

    cfg = load_config(args.config, args.cfg_options)
    apply_arguments(cfg, args)
    images = cfg.train_dataloader.batch_size * args.steps
    times = compare_training(cfg, args.blocks, args.steps)
    ratios = [pipeline / plain for plain, pipeline in zip(times["plain"], times["pipeline"], strict=True)]
    return [
        {"training": kind, "images/s": images / statistics.median(times[kind]), "time / plain": ratio}
        for kind, ratio in (("plain", 1.0), ("pipeline", statistics.median(ratios)))
    ]


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    common = Parser(add_help=False)
    common.add_argument("--threads", type=whole(1), help="threads of torch; default all cores")
    common.add_argument("--json", help="write the figures to this file too")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for function, repeats in ((analyze, 5), (search, 11), (gates, None), (latents, None), (train, None)):
        text = function.__doc__.strip().splitlines()[0]
        command = commands.add_parser(function.__name__, help=text, description=text, parents=[common])
        command.set_defaults(function=function)
        if repeats:
            command.add_argument("--repeats", type=whole(1), default=repeats, help=f"default {repeats}")
        if function is analyze:
            command.add_argument("--peer", action="store_true", help="compare with torch-pruning")
        if function is gates:
            command.add_argument("--batch", type=whole(1), default=4, help="default 4")
            command.add_argument("--size", type=whole(1), default=224, help="side of the images; default 224")
            command.add_argument("--steps", type=whole(1), default=9, help="timed steps of each kind; default 9")
        if function is latents:
            command.add_argument("config", help="config file")
            add_config_options(command)
            command.add_argument("--work-dir", default="work_dirs/latents", help="default work_dirs/latents")
            command.add_argument("--seeds", type=whole(2), default=3, help="of each search; default 3")
        if function is train:
            add_training_options(command)
            command.add_argument("--blocks", type=whole(1), default=9, help="turns of each loop; default 9")
            command.add_argument("--steps", type=whole(1), default=10, help="training steps of a turn; default 10")
    return parser.parse_args(argv)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.json:
        check_target(args.json)
    rows = args.function(args)
    print_table(rows)
    if args.json:
        about = dict(benchmark=args.function.__name__, torch=torch.__version__, threads=torch.get_num_threads())
        write_atomically((json.dumps(dict(about, rows=rows), indent=2) + "\n").encode(), args.json)


if __name__ == "__main__":
    main()
