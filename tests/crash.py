"""Kill pipelines at random moments and compare what they end with to undisturbed ones: ``python -m tests.crash``.

Each pipeline (search, training, validation, in small) is killed by SIGKILL again and again, in the search, at the
border to the training, in the training, while a file is written, in a validation, or anywhere, and resumed each time.
When it has come to its end its plan, weights, optimizer and metrics are compared bit for bit with those of an
undisturbed run, and it begins anew until it has been killed as often as asked for.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.files import TEMPORARY
from tests.crash_moments import count_events, kill_after, train
from tests.crash_runs import DOMAINS, differences, results

ROOT = Path(__file__).resolve().parents[1]
KILLED = -9
# What an attempt of a pipeline is: arguments of tools/train.py; when to die; the exit status.
Attempt = Callable[[list[str], tuple[str, int, int] | None], int]


def in_a_fork(arguments: list[str], death: tuple[str, int, int] | None) -> int:
    """One attempt, in a copy of this process, which has imported everything."""

    def attempt() -> None:
        if death is not None:
            kill_after(*death)
        train(arguments)

    return _fork(attempt, Path(_work_dir(arguments), "log.txt"))


def under_torchrun(arguments: list[str], death: tuple[str, int, int] | None) -> int:
    """One attempt in two processes, one of which dies; torchrun has to end by itself, and with it the other one."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    command += ["--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0", "-m", "tests.crash_moments"]
    moment, skip, seed = death or ("any", 10**9, 0)
    command += [moment, str(skip), str(seed % 2), str(seed), *arguments[:1], "--launcher", "pytorch", *arguments[1:]]
    log = Path(_work_dir(arguments), "log.txt")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False, timeout=600)
    return KILLED if done.returncode and "SIGKILL" in _tail(log) else done.returncode


def count(arguments: list[str], out: Path) -> None:
    """The undisturbed run; how often each moment comes in it, and its milliseconds, are written to ``out``."""

    def attempt() -> None:
        began = time.monotonic()
        counts = count_events(arguments)
        counts["any"] = round(1000 * (time.monotonic() - began))
        out.write_text(json.dumps(counts))

    log = Path(_work_dir(arguments), "log.txt")
    assert _fork(attempt, log) == 0, _tail(log)


def _fork(attempt: Callable[[], None], log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    child = os.fork()
    if not child:
        status = 1
        try:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(output, 1)
            os.dup2(output, 2)
            attempt()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])


def _work_dir(arguments: list[str]) -> str:
    return arguments[arguments.index("--work-dir") + 1]


def crash(domain: str, workers: int, ranks: int, kills: int, seed: int, folder: Path) -> Counter:
    """Kill one pipeline so often.

    Args:
        domain: of :data:`DOMAINS`.
        workers: of the data loaders.
        ranks: processes, 1 or 2.
        folder: for data and work_dirs.

    Returns:
        How often it was killed at each moment.

    Raises:
        AssertionError: a run has ended otherwise than by a kill, or with another result than the undisturbed one.
    """
    config, *options = DOMAINS[domain](folder)
    options += [f"train_dataloader.num_workers={workers}"]
    attempt: Attempt = in_a_fork if ranks == 1 else under_torchrun

    def arguments(name: str) -> list[str]:
        return [config, "--work-dir", str(folder / name), "--resume", *options]

    build_model(load_config(config))  # what it imports the copies of this process need not
    count(arguments("counted"), folder / "counts.json")
    counts = json.loads((folder / "counts.json").read_text())
    whole = folder / "counted"
    if ranks > 1:
        whole = folder / "alone"
        assert attempt(arguments("alone"), None) == 0, _tail(folder / "alone" / "log.txt")
    rng, told = random.Random(f"{seed} {domain} {workers} {ranks}"), Counter()
    while told.total() < kills:
        work_dir = folder / "killed"
        shutil.rmtree(work_dir, ignore_errors=True)
        status = KILLED
        while status == KILLED:
            death = _draw(rng, counts, told, work_dir, ranks) if told.total() < kills else None
            status = attempt(arguments("killed"), death)
            if status == KILLED:
                told[death[0]] += 1
        assert status == 0, _tail(work_dir / "log.txt")
        left = [path.name for path in work_dir.iterdir() if TEMPORARY.fullmatch(path.name)]
        found = [*differences(results(whole), results(work_dir)), *left]
        assert not found, f"{domain}, {workers} workers: {', '.join(found)} differ from the undisturbed run's"
    return told


def _draw(
    rng: random.Random, counts: dict[str, int], told: Counter, work_dir: Path, ranks: int
) -> tuple[str, int, int]:
    """When to die: the rarest moment so far of those that may yet come, and how many of its kind are to go by."""
    past = {"search": "plan.json", "border": "last_checkpoint"}
    moments = [one for one in counts if not (one in past and (work_dir / past[one]).is_file())]
    moments = [one for one in moments if ranks == 1 or one != "any"]
    rarest = min(told[one] for one in moments)
    moment = rng.choice(sorted(one for one in moments if told[one] == rarest))
    # A share of them, for a resumed run has few to go, and one of several processes.
    most = counts[moment] if moment in ("any", "search", "border") else max(counts[moment] // (2 * ranks), 1)
    return moment, rng.randrange(most), rng.randrange(2**31)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=3, help="of every pipeline")
    parser.add_argument("--domain", nargs="+", choices=list(DOMAINS), default=list(DOMAINS))
    parser.add_argument("--workers", nargs="+", type=int, default=[0, 2], help="of the data loaders")
    parser.add_argument(
        "--ranks", nargs="+", type=int, choices=[1, 2], default=[1, 2], help="processes; 2: digits only"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    args = parser.parse_args(argv)
    pipelines = [(domain, workers, 1) for domain in args.domain for workers in args.workers if 1 in args.ranks]
    if 2 in args.ranks and "digits" in args.domain:
        pipelines.append(("digits", 0, 2))
    total: Counter = Counter()
    for domain, workers, ranks in pipelines:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            told = crash(domain, workers, ranks, args.kills, args.seed, Path(folder))
        total += told
        moments = ", ".join(f"{number} {moment}" for moment, number in sorted(told.items()))
        about = f"{domain}, {workers} workers" + (f", {ranks} processes" if ranks > 1 else "")
        seconds = time.monotonic() - began
        print(f"{about}: {told.total()} kills ({moments}) in {seconds:.0f} s: bit for bit as undisturbed", flush=True)
    print(f"{total.total()} kills of {len(pipelines)} pipelines; all ended with the undisturbed result")


if __name__ == "__main__":
    main()
