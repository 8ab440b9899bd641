"""Evaluate a checkpoint on the test set of its config; a plan in the checkpoint is found and used."""

import argparse
import json
from collections.abc import Sequence

from lwdna_mm.errors import Parser, one_line
from lwdna_mm.files import check_target, write_atomically
from lwdna_mm.options import add_data_option, add_run_options


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    add_run_options(parser)
    add_data_option(parser)
    parser.add_argument("checkpoint", nargs="?", help="checkpoint file; none for a network without weights")
    parser.add_argument("--plan", help="plan.json of the network; default: the one that the checkpoint carries")
    parser.add_argument("--work-dir", help="folder for logs; default work_dirs/CONFIG/test")
    parser.add_argument("--out", help="write the metrics to this JSON file")
    return parser.parse_args(argv)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from mmengine.dist import is_main_process

    from lwdna_mm import engine

    cfg = engine.load_config(args.config, args.cfg_options)
    engine.apply_arguments(cfg, args)
    if args.out:
        check_target(args.out)
    if args.check_data:
        engine.read_all(cfg, ["test_dataloader"])
    metrics = engine.evaluate(cfg, args.checkpoint, plan=args.plan)
    if not is_main_process():
        return
    for name, value in metrics.items():
        print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    if args.out:
        write_atomically((json.dumps(metrics, indent=2, sort_keys=True) + "\n").encode(), args.out)


if __name__ == "__main__":
    main()
