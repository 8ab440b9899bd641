"""The tables of docs/channels.md: ``python -m tests.check_networks [--timm] [NAME ...]``.

For every network: how many groups there are, how many of them are rigid or frozen, the seconds of one
analysis, whether every group and a plan of them all shrunk to random channels equals the masked original,
whether twice the width with halved gates equals the original, whether FLOPs and parameters equal torch's
flop counter and the real count, and whether activations equal what is counted call by call, each for the
original, the shrunk and the widened network. Networks that do not come out right as they are analysed are
analysed again with ``on_failure='freeze'``; where float32 differs by more than its tolerance, float64 decides.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

import torch
from torch import nn

from lwdna_mm.channels import ChannelGraph, ChannelPlan, ResizeError, analyze
from lwdna_mm.channels.verify import randomized
from tests.networks import NETWORKS, Network
from tests.oracle import counted, halved_difference, masked_difference, random_plan
from tests.timm_networks import TIMM

# Of outputs of up to some hundred layers of random weights.
TOLERANCE = 1e-5
TOLERANCE_64 = 1e-9


def prepare(name: str, seed: int = 0, on_failure: str = "raise") -> tuple[nn.Module, ChannelGraph, float]:
    """A network with random, well-conditioned values, its graph, and the seconds of the analysis."""
    network = find(name)
    torch.manual_seed(seed)
    model = randomized(network.build().eval())
    start = time.perf_counter()
    graph = analyze(model, network.inputs, forward=network.forward, on_failure=on_failure)
    return model, graph, time.perf_counter() - start


def find(name: str) -> Network:
    """A network of either table."""
    return NETWORKS[name] if name in NETWORKS else TIMM[name]


def single_plans(graph: ChannelGraph, rng: random.Random) -> list[ChannelPlan]:
    """One plan a free group, with about half of its channels."""
    plans = []
    for name, group in graph.free.items():
        plans.append(ChannelPlan({name: sorted(rng.sample(range(group.width), max(1, group.width // 2)))}))
    return plans


def check(name: str, every_group: bool = False) -> list[str]:
    """The network's row.

    Raises:
        ResizeError: it does not come out right even where the groups at fault are frozen.
    """
    model, graph, seconds = prepare(name)
    found = set(graph.frozen)
    try:
        marks = _marks(model, graph, every_group)
    except ResizeError:
        model, graph, seconds = prepare(name, on_failure="freeze")
        marks = _marks(model, graph, every_group)
    tried = len(set(graph.frozen) - found)
    frozen = f"{len(graph.frozen)} ({tried} by trial)" if tried else str(len(graph.frozen))
    groups, rigid = len(graph.groups), len(graph.groups) - len(graph.free)
    return [name, str(groups), str(rigid), frozen, f"{seconds:.2f}", *marks]


def _marks(model: nn.Module, graph: ChannelGraph, every_group: bool) -> list[str]:
    rng = random.Random(0)
    plans = [random_plan(graph, rng), *(single_plans(graph, rng) if every_group else [])]
    costs = graph.flops(), graph.params(), graph.acts()
    exact = [real == cost for real, cost in zip(counted(model, graph), costs, strict=True)]
    marks = [_mark(found < TOLERANCE) for found in _differences(model, graph, plans)]
    if "NO" in marks:
        again = [found < TOLERANCE_64 for found in _differences(*_doubled(model, graph), plans)]
        marks = [mark if mark == "yes" else _mark(ok, "in float64") for mark, ok in zip(marks, again, strict=True)]
    if not graph.free:
        notes = [note for note in graph.notes if not note.endswith("an output of the model")]
        marks = [f"nothing to resize: {notes[0]}", "-"]
    return [*marks, _mark(exact[0] and exact[1]), _mark(exact[2])]


def _mark(ok: bool, yes: str = "yes") -> str:
    return yes if ok else "NO"


def _differences(model: nn.Module, graph: ChannelGraph, plans: list[ChannelPlan]) -> tuple[float, float]:
    """How far the worst of the shrunk networks is from its masked original, and the widened from its own."""
    return max(masked_difference(model, graph, plan) for plan in plans), halved_difference(model, graph)


def _doubled(model: nn.Module, graph: ChannelGraph) -> tuple[nn.Module, ChannelGraph]:
    """The network and its graph in float64."""
    model, tracing = randomized(model, torch.float64), graph.tracing
    inputs = tuple(image.double() for image in tracing.inputs)
    return model, analyze(model, inputs, keep=tracing.keep, forward=tracing.forward)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these networks")
    parser.add_argument("--timm", action="store_true", help="one network of every family of timm")
    parser.add_argument("--every-group", action="store_true", help="also shrink every group by itself")
    arguments = parser.parse_args()
    table = TIMM if arguments.timm else NETWORKS
    unknown = [name for name in arguments.names if name not in table]
    if unknown:
        parser.error(f"no network '{unknown[0]}'; there are {', '.join(table)}")
    print("| network | groups | rigid | frozen | seconds | masked = removed | widen exact | FLOPs exact | acts exact |")
    print("| --- | ---: | ---: | ---: | ---: | --- | --- | --- | --- |", flush=True)
    failed = []
    for name in arguments.names or table:
        try:
            cells = check(name, arguments.every_group)
        except Exception as error:
            traceback.print_exc()
            cells = [name, f"NO: {error or type(error).__name__}"]
        if any(cell.startswith("NO") for cell in cells):
            failed.append(name)
        print("| " + " | ".join(cells) + " |", flush=True)
    if failed:
        sys.exit(f"not exact: {', '.join(failed)}")


if __name__ == "__main__":
    main()
