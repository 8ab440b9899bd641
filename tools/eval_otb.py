"""Score a tracker on OTB sequences with got10k: success, precision, fps."""

from collections.abc import Sequence
from pathlib import Path

from lwdna_mm.apis.tracking import add_evaluation_arguments, evaluate, tracker_from
from lwdna_mm.datasets.tracking import OTBFolder, read_tracks
from lwdna_mm.errors import Parser, one_line
from lwdna_mm.evaluation.tracking import LocalOTB


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = Parser(description=__doc__)
    add_evaluation_arguments(parser)
    parser.add_argument(
        "--version", default="2015", help="2013, 2015, tb50, tb100, ..., or all folders (default: 2015)"
    )
    args = parser.parse_args(argv)
    version = int(args.version) if args.version.isdigit() else args.version
    folder = OTBFolder(args.root, version, args.sequences)
    tracks = list(read_tracks(folder))
    out = Path(args.out)
    evaluate(LocalOTB(folder, out / "results", out / "reports"), tracker_from(args, tracks), tracks, args)


if __name__ == "__main__":
    main()
