"""The table of docs/channels.md: ``python -m tests.check_networks [NAME ...]``.

For every network: how many groups there are, how many of them are rigid or frozen, the seconds of one
analysis, whether every group and a plan of them all shrunk to random channels equals the masked original,
whether twice the width with halved gates equals the original, whether FLOPs and parameters equal torch's
flop counter and the real count, and whether activations equal what hooks on the layers count, each for the
original, the shrunk and the widened network.
"""

from __future__ import annotations

import argparse
import random
import time

import torch
from torch import nn

from lwdna_mm.channels import ChannelGraph, ChannelPlan, analyze
from lwdna_mm.channels.verify import randomized
from tests.networks import NETWORKS
from tests.oracle import counted, halved_difference, masked_difference, random_plan

# float32, and outputs of up to fifty layers of random weights.
TOLERANCE = 1e-5


def prepare(name: str, seed: int = 0) -> tuple[nn.Module, ChannelGraph, float]:
    """A network with random, well-conditioned values, its graph, and the seconds of the analysis."""
    network = NETWORKS[name]
    torch.manual_seed(seed)
    model = randomized(network.build().eval())
    start = time.perf_counter()
    graph = analyze(model, network.inputs, forward=network.forward)
    return model, graph, time.perf_counter() - start


def single_plans(graph: ChannelGraph, rng: random.Random) -> list[ChannelPlan]:
    """One plan a free group, with about half of its channels."""
    plans = []
    for name, group in graph.free.items():
        plans.append(ChannelPlan({name: sorted(rng.sample(range(group.width), max(1, group.width // 2)))}))
    return plans


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(NETWORKS)}")
    parser.add_argument("--every-group", action="store_true", help="also shrink every group by itself")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in NETWORKS]
    if unknown:
        parser.error(f"no network '{unknown[0]}'; there are {', '.join(NETWORKS)}")
    print("| network | groups | rigid | frozen | seconds | masked = removed | widen exact | FLOPs exact | acts exact |")
    print("| --- | ---: | ---: | ---: | ---: | --- | --- | --- | --- |", flush=True)
    for name in arguments.names or NETWORKS:
        rng = random.Random(0)
        model, graph, seconds = prepare(name)
        plans = [random_plan(graph, rng), *(single_plans(graph, rng) if arguments.every_group else [])]
        costs = graph.flops(), graph.params(), graph.acts()
        exact = [real == cost for real, cost in zip(counted(model, graph), costs, strict=True)]
        shrunk = max(masked_difference(model, graph, plan) for plan in plans)
        widened = halved_difference(model, graph)
        checks = (shrunk < TOLERANCE, widened < TOLERANCE, exact[0] and exact[1], exact[2])
        marks = ["yes" if ok else "NO" for ok in checks]
        rigid = len(graph.groups) - len(graph.free)
        cells = [name, len(graph.groups), rigid, len(graph.frozen), f"{seconds:.2f}", *marks]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
