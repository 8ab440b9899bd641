"""Keep the model zoo: write metafiles, model-index.yml and model_zoo.md anew, check them, or add an entry."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lwdna_mm.errors import Parser, UserError, one_line

ROOT = Path(__file__).resolve().parents[1]


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 2 if something is out of date")
    commands = parser.add_subparsers(dest="action")
    add = commands.add_parser("add", help="add a run or a plan, or replace the entry of this name")
    add.add_argument("name", help="of the entry")
    add.add_argument("source", type=Path, help="work_dir of a finished run whose data is still there; or a plan.json")
    add.add_argument("--command", required=True, help="what has made it, as one would type it")
    add.add_argument("--config", help="with a plan.json: name of the config whose network it is of")
    add.add_argument("--half", action="store_true", help="keep the weights in half precision")
    add.add_argument("--note", help="what else should be known")
    args = parser.parse_args(argv)
    if args.action == "add" and args.check:
        parser.error("--check writes nothing, add does: give one of them")
    if args.action == "add" and not args.source.exists():
        parser.error(f"{args.source}: no such file or folder")
    if args.action == "add" and (args.config is not None) != args.source.is_file():
        parser.error("give --config with a plan.json, and only then")
    return args


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from lwdna_mm.zoo.add import add_plan, add_run
    from lwdna_mm.zoo.metafiles import stale, update

    if args.action == "add":
        if args.config is None:
            entry = add_run(ROOT, args.name, args.source, args.command, args.half, args.note)
        else:
            entry = add_plan(ROOT, args.name, args.source, args.config, args.command, args.note)
        print(f"{entry['Weights']}: {entry['Metadata']['Size']} bytes")
    elif args.check:
        old = stale(ROOT)
        if old:
            raise UserError(f"out of date: {', '.join(old)}; run python tools/zoo.py")
    else:
        print("\n".join(update(ROOT)) or "all up to date")


if __name__ == "__main__":
    main()
