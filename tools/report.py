"""Write one page about finished runs that belong together: baseline, LW-DNA, controls, with any number of seeds."""

import argparse
from collections.abc import Sequence

from lwdna_mm.errors import Parser, one_line


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("work_dirs", nargs="+", metavar="WORK_DIR", help="work_dir of a finished run")
    parser.add_argument("--out", default="report", help="folder for report.html and its pictures")
    parser.add_argument("--latency", help="a latency.json of their network, to predict their time by")
    return parser.parse_args(argv)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from lwdna_mm.visualization.report import format_table, write_report

    page = write_report(args.work_dirs, args.out, args.latency)
    print(format_table(args.work_dirs, args.latency))
    print(f"report: {page}")


if __name__ == "__main__":
    main()
