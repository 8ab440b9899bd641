"""Train a config: its baseline, or with an ``lwdna`` section widen, shrink and retrain."""

import argparse
from collections.abc import Sequence

from lwdna_mm.errors import Parser, one_line
from lwdna_mm.options import add_data_option, add_training_options


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    add_training_options(parser)
    add_data_option(parser)
    parser.add_argument("--work-dir", help="folder for logs, plan and checkpoints; default work_dirs/CONFIG")
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        help="go on with what is in the work_dir, at the stage it has reached; or from the given checkpoint",
    )
    parser.add_argument("--plan", help="train this plan.json instead of searching one")
    parser.add_argument("--no-validate", action="store_true", help="do not validate during the training")
    parser.add_argument(
        "--skip-nonfinite",
        type=int,
        metavar="N",
        help="go on past at most N batches whose loss or gradients are not finite; default 0: end there",
    )
    parser.add_argument("--auto-scale-lr", action="store_true", help="scale the learning rate with the batch size")
    return parser.parse_args(argv)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from mmengine.dist import is_main_process

    from lwdna_mm import engine

    cfg = engine.load_config(args.config, args.cfg_options)
    engine.apply_arguments(cfg, args)
    if args.check_data:
        engine.read_all(cfg, ["train_dataloader", "val_dataloader"])
    summary = engine.run(cfg, plan=args.plan, resume=args.resume)
    if is_main_process():
        print(engine.format_summary(summary))


if __name__ == "__main__":
    main()
