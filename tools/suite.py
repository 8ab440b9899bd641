"""Compare ways to choose widths: run a suite of tasks, arms and seeds, and report on it."""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from lwdna_mm.errors import Parser, UserError, one_line
from lwdna_mm.options import whole


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = Parser(add_help=False)
    common.add_argument("suite", help="a suite, such as configs/suites/smoke.py")
    common.add_argument("--work-dir", type=Path, help="folder of the runs; default work_dirs/suites/SUITE")
    common.add_argument(
        "--records", type=Path, help="the file of results, a JSON line a run; default WORK_DIR/records.jsonl"
    )
    common.add_argument("--only", nargs="+", metavar="TASK[/ARM]", help="only these, and what they need")
    for function in (run, report, list_runs):
        name = function.__name__.partition("_")[0]
        command = commands.add_parser(name, help=function.__doc__, description=function.__doc__, parents=[common])
        command.set_defaults(function=function)
        if function is run:
            data = os.environ.get("LWDNA_DATA")
            command.add_argument("--data", type=Path, default=data, help="folder of all data; default $LWDNA_DATA")
            command.add_argument("--jobs", type=whole(1), default=1, help="runs at once; default 1")
            command.add_argument("--threads", type=whole(1), default=1, help="threads of each run; default 1")
            command.add_argument("--executor", choices=["local", "ray"], default="local")
        if function is report:
            command.add_argument("--out", type=Path, help="folder of the report; default WORK_DIR/report")
    return parser.parse_args(argv)


def run(args: argparse.Namespace) -> None:
    """Do all runs that are not done yet; what was killed goes on where it stopped."""
    from lwdna_mm.files import locked, remove_orphans
    from lwdna_mm.suite.local import local_executor
    from lwdna_mm.suite.scheduler import Scheduler, check_configs, check_data, done_records

    suite, runs, work_dir, records = _places(args)
    done = done_records(suite, runs, records)
    to_do = [one for one in runs if one.key not in done]
    check_configs(to_do)
    check_data(to_do, args.data)
    say = partial(print, flush=True, file=sys.stdout)
    if args.executor == "ray":
        from lwdna_mm.suite.on_ray import ray_executor

        execute = ray_executor(work_dir, args.data, args.threads, args.jobs)
    else:
        execute = local_executor(work_dir, args.data, args.threads)
    with locked(work_dir):
        remove_orphans(work_dir)
        scheduler = Scheduler(suite, runs, records, execute, args.jobs, say)
        if not scheduler.run():
            raise UserError("some runs have failed; `run` again goes on with them")


def report(args: argparse.Namespace) -> None:
    """Write report.html and report.md about the runs that are done."""
    from lwdna_mm.suite.report import write_report
    from lwdna_mm.suite.scheduler import done_records

    suite, runs, work_dir, records = _places(args)
    found = [*done_records(suite, runs, records).values()]
    if not found:
        raise UserError(f"{records}: no run is done yet; begin with `run`")
    print(write_report(found, args.out or work_dir / "report", [one.key for one in runs]))


def list_runs(args: argparse.Namespace) -> None:
    """List the runs, and which are done."""
    from lwdna_mm.suite.scheduler import done_records

    suite, runs, _, records = _places(args)
    done = done_records(suite, runs, records)
    lines = [f"{_reached(done.get(one.key)):>10}  {one.key}" for one in runs]
    print("\n".join([*lines, f"{len(done)} of {len(runs)} runs are done"]))


def _reached(record) -> str:
    if record is None:
        return "-"
    return "diverged" if record.value is None else f"{record.value:.4g}"


def _places(args: argparse.Namespace):
    """The suite, its runs, its folder and its file of records."""
    from lwdna_mm.suite.config import load_suite
    from lwdna_mm.suite.matrix import expand, only

    suite = load_suite(args.suite)
    runs = expand(suite)
    work_dir = args.work_dir or Path("work_dirs", "suites", suite.name)
    return suite, only(runs, args.only) if args.only else runs, work_dir, args.records or work_dir / "records.jsonl"


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    try:
        args.function(args)
    except KeyboardInterrupt:
        # Whatever is killed goes on later, and the runs' processes end with this one: there is nobody to wait for.
        print("\ninterrupted; the same command goes on", file=sys.stderr, flush=True)
        os._exit(130)


if __name__ == "__main__":
    main()
