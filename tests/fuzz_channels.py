"""Long runs of random programs: ``python -m tests.fuzz_channels --programs 20000``.

Every program is analysed, shrunk to a random plan and widened; the outcome is one of

- exact: all oracles hold,
- refused: ``resize`` says no and names the group (the program spells a width as a Python number, or treats
  one channel unlike many); analysed again with ``on_failure='freeze'`` it is exact, or refuses again,
- wrong: an oracle fails. None is allowed.

``--nightly`` begins at a new seed each time, which it prints, and ends after ``--minutes``. A program that fails is
cut to the steps that it takes and written to a file, which ``--reproduce FILE`` runs again.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy
import torch

from lwdna_mm.channels import ChannelGraph, ResizeError, analyze
from tests.oracle import costs_agree, counted, halved_difference, masked_difference, random_plan
from tests.programs import Program, random_program

TOLERANCE = 1e-7
FOLDER = Path("work_dirs/fuzz")


def run_program(rng: random.Random, most: int = 12, dropped: Sequence[int] = ()) -> str:
    """Check one random program.

    Args:
        rng: where all decisions come from.
        most: the largest number of steps.
        dropped: steps to leave out.

    Returns:
        One of the outcomes above; a colon follows where something is to be mended.
    """
    program, inputs = random_program(rng, most)
    program = program.without(dropped, len(inputs))
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


def run_seed(seed: int, dropped: Sequence[int] = ()) -> str:
    """The outcome of a seed; an exception is one as well."""
    try:
        return run_program(random.Random(seed), dropped=dropped)
    except Exception:
        return "crashed: " + traceback.format_exc(limit=-6)


def reduce(seed: int) -> list[int]:
    """The steps that a failing program does not take to fail in the same way."""
    kind = run_seed(seed).split(":")[0]
    steps = range(len(random_program(random.Random(seed))[0].steps))
    dropped: list[int] = []
    for step in reversed(steps):
        if run_seed(seed, [*dropped, step]).startswith(f"{kind}:"):
            dropped.append(step)
    return sorted(dropped)


def write_reproducer(seed: int, folder: Path) -> Path:
    """Write a failing program to a file that tells what is known of it."""
    dropped = reduce(seed)
    path = folder / f"seed_{seed}.json"
    content = {
        "command": f"python -m tests.fuzz_channels --reproduce {path}",
        "seed": seed,
        "dropped": dropped,
        "outcome": run_seed(seed, dropped).splitlines(),
        "whole program": random_program(random.Random(seed))[0].listing().splitlines(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__},
    }
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def reproduce(path: Path) -> str:
    """The outcome, now, of a program that has failed."""
    content: dict[str, Any] = json.loads(path.read_text())
    return run_seed(content["seed"], content["dropped"])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=20000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--nightly", action="store_true", help="begin at a seed by chance, and end by the clock")
    parser.add_argument("--minutes", type=float, default=30, help="of a nightly run")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the programs that fail are written")
    parser.add_argument("--reproduce", type=Path, metavar="FILE", help="run a program again that has failed")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.reproduce:
        outcome = reproduce(options.reproduce)
        print(outcome)
        sys.exit(":" in outcome)
    first = random.SystemRandom().randrange(10**9) if options.nightly else options.first
    seeds = count(first) if options.nightly else range(first, first + options.programs)
    failures = _run(seeds, time.time() + 60 * options.minutes if options.nightly else None, options.out)
    sys.exit(bool(failures))


def _run(seeds: Iterable[int], end: float | None, folder: Path) -> list[int]:
    """The seeds that fail, of all or of those that are begun before ``end``."""
    outcomes: Counter[str] = Counter()
    failures = []
    start = time.time()
    for done, seed in enumerate(seeds, 1):
        if done == 1:
            print(f"first seed: {seed}", flush=True)
        outcome = run_seed(seed)
        outcomes[outcome.split(":")[0]] += 1
        if ":" in outcome:
            failures.append(seed)
            print(f"seed {seed}: {outcome}\nwritten to {write_reproducer(seed, folder)}\n", flush=True)
        if done % 500 == 0:
            print(f"{done} programs, {time.time() - start:.0f} s: {dict(outcomes)}", flush=True)
        if end is not None and time.time() > end:
            break
    print(f"{outcomes.total()} programs, {time.time() - start:.0f} s: {dict(outcomes)}")
    print(f"seeds that failed: {failures}")
    return failures


if __name__ == "__main__":
    main()
