"""Long runs of random programs: ``python -m tests.fuzz_channels --programs 20000``.

Every program is analysed, shrunk to a random plan and widened; the outcome is one of

- exact: all oracles hold,
- refused: ``resize`` says no and names the group (the program spells a width as a Python number, or treats
  one channel unlike many); analysed again with ``on_failure='freeze'`` it is exact, or refuses again,
- wrong: an oracle fails. None is allowed; the program is printed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter

import torch

from lwdna_mm.channels import ChannelGraph, ResizeError, analyze
from tests.oracle import costs_agree, counted, halved_difference, masked_difference, random_plan
from tests.programs import Program, random_program

TOLERANCE = 1e-7


def run_program(rng: random.Random, most: int = 12) -> str:
    """Check one random program.

    Returns:
        One of the outcomes above; a colon follows where something is to be mended.
    """
    program, inputs = random_program(rng, most)
    grouped = rng.choice(["within", "within", "whole"])
    graph = analyze(program, inputs, grouped)
    if not costs_agree(program, graph):
        costs = graph.flops(), graph.params(), graph.acts()
        return f"wrong cost: {counted(program, graph)} is not {costs}\n{program.listing()}"
    if not graph.free:
        return "nothing to resize"
    try:
        return _check(program, graph, rng)
    except ResizeError as error:
        reason = "" if program.constant else f" without need: {error}\n{program.listing()}"
    try:
        cured = _check(program, analyze(program, inputs, grouped, on_failure="freeze"), rng)
    except ResizeError:
        return "refused" + reason
    return "exact once frozen" if cured == "exact" else cured


def _check(program: Program, graph: ChannelGraph, rng: random.Random) -> str:
    plan = random_plan(graph, rng, program.least)
    small, wide = masked_difference(program, graph, plan), halved_difference(program, graph)
    if small > TOLERANCE or wide > TOLERANCE:
        return f"wrong: masked {small:.1e}, widened {wide:.1e}, {plan}\n{program.listing()}"
    return "exact"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=20000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    outcomes: Counter[str] = Counter()
    failures = []
    start = time.time()
    for done, seed in enumerate(range(arguments.first, arguments.first + arguments.programs), 1):
        try:
            outcome = run_program(random.Random(seed))
        except Exception:
            outcome = "crashed: " + traceback.format_exc(limit=-6)
        outcomes[outcome.split(":")[0]] += 1
        if ":" in outcome:
            failures.append(seed)
            print(f"seed {seed}: {outcome}\n", flush=True)
        if done % 500 == 0 or done == arguments.programs:
            spent = time.time() - start
            left = spent / done * (arguments.programs - done)
            print(f"{done} programs, {spent:.0f} s, {left:.0f} s to go: {dict(outcomes)}", flush=True)
    print(f"seeds that failed: {failures}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
