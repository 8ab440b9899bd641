"""Get a file of the model zoo, or list what there is."""

import argparse
from collections.abc import Sequence

from lwdna_mm.errors import Parser, one_line


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("name", nargs="?", help="of the entry, see --list")
    parser.add_argument("--list", action="store_true", help="the entries, with their configs")
    parser.add_argument("--out", default="work_dirs/zoo", help="folder for the file; default work_dirs/zoo")
    args = parser.parse_args(argv)
    if (args.name is None) != args.list:
        parser.error("give NAME or --list")
    return args


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from lwdna_mm.tables import print_table
    from lwdna_mm.zoo.download import fetch
    from lwdna_mm.zoo.index import find_entry, iterate_entries

    if args.list:
        rows = [dict(name=one.name, KiB=round(one.size / 1024), config=one.config) for one in iterate_entries()]
        print_table(rows)
    else:
        entry = find_entry(args.name)
        print(f"{fetch(entry, args.out)}: of {entry.config}")


if __name__ == "__main__":
    main()
