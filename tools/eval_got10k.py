"""Score a tracker on GOT-10k with got10k: AO, SR0.5, SR0.75, fps; or zip its results for the test server."""

from collections.abc import Sequence
from pathlib import Path

from lwdna_mm.apis.tracking import add_evaluation_arguments, evaluate, tracker_from
from lwdna_mm.datasets.tracking import GOT10kFolder, read_tracks
from lwdna_mm.errors import Parser, one_line
from lwdna_mm.evaluation.tracking import LocalGOT10k


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = Parser(description=__doc__)
    add_evaluation_arguments(parser)
    parser.add_argument("--subset", choices=["val", "test"], default="val")
    args = parser.parse_args(argv)
    folder = GOT10kFolder(args.root, args.subset, args.sequences)
    tracks = list(read_tracks(folder))
    out = Path(args.out)
    evaluate(LocalGOT10k(folder, out / "results", out / "reports"), tracker_from(args, tracks), tracks, args)


if __name__ == "__main__":
    main()
