"""Apply a trained super-resolution or denoising network to images, in tiles, and write PNGs."""

import argparse
import sys
import time
from collections.abc import Sequence

from lwdna_mm.errors import Parser, UserError, one_line


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    from lwdna_mm.options import add_config_options, whole

    parser = Parser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("images", help="an image, or a folder of images")
    parser.add_argument("--out", required=True, help="folder for the results, NAME.png")
    parser.add_argument("--plan", help="plan.json of the network; default: the one that the checkpoint carries")
    parser.add_argument("--tile", type=whole(0), default=192, help="side of a tile in input pixels (default: 192)")
    parser.add_argument(
        "--overlap",
        type=whole(0),
        default=64,
        help="what a tile sees beyond its sides (default: 64, enough for every network here)",
    )
    add_config_options(parser)
    return parser.parse_args(argv)


def show_tiles(done: int, total: int) -> None:
    """One line that counts the tiles of a large image, on a terminal only."""
    if total > 1 and sys.stderr.isatty():
        print(f"  tile {done}/{total}", end="\r" if done < total else "\n", file=sys.stderr, flush=True)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; the exit status is 1 where some of several images could not be restored."""
    args = parse_args(argv)
    from lwdna_mm.apis.restore import Restorer, find_images, load_restorer, restore_file
    from lwdna_mm.engine import load_config
    from lwdna_mm.files import check_folder
    from lwdna_mm.models.restoration.tiling import check_tiling

    check_tiling(args.tile, args.overlap)
    pairs = list(find_images(args.images, args.out))
    check_folder(args.out)
    restorer = Restorer(load_restorer(load_config(args.config, args.cfg_options), args.checkpoint, args.plan))
    failed = 0
    for number, (path, target) in enumerate(pairs, 1):
        started = time.perf_counter()
        try:
            height, width = restore_file(restorer, path, target, args.tile, args.overlap, show_tiles)
        except UserError as error:
            if len(pairs) == 1:
                raise
            failed += 1
            print(f"[{number}/{len(pairs)}] skipped: {error}", file=sys.stderr)
        else:
            seconds = time.perf_counter() - started
            print(f"[{number}/{len(pairs)}] {path} -> {target}: {width}x{height}, {seconds:.1f} s")
    if failed:
        print(f"{failed} of {len(pairs)} images could not be restored", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
