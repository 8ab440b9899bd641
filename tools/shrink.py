"""Search the channel plan of a config with an ``lwdna`` section, and stop there."""

import argparse
from collections.abc import Sequence

from lwdna_mm.errors import Parser, UserError, one_line
from lwdna_mm.options import add_data_option, add_training_options


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    add_training_options(parser)
    add_data_option(parser)
    parser.add_argument("--out", default="plan.json", help="the plan; its weights go beside it, with suffix .pth")
    parser.add_argument("--work-dir", help="folder for logs; default work_dirs/CONFIG")
    parser.add_argument("--criterion", help="in place of the config's, such as RandomCriterion or UniformCriterion")
    return parser.parse_args(argv)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from lwdna_mm import engine

    options = dict(args.cfg_options or {})
    if args.criterion:
        options["lwdna.shrink.criterion"] = dict(type=args.criterion)
    cfg = engine.load_config(args.config, options)
    if cfg.get("lwdna") is None:
        raise UserError(f"{args.config} has no lwdna section")
    engine.apply_arguments(cfg, args)
    if args.check_data:
        engine.read_all(cfg, ["train_dataloader"])
    plan = engine.shrink(cfg, args.out)
    meta, base = plan.meta, plan.meta["baseline"]
    units = dict(flops="MFLOPs", params="M parameters", acts="M activations")
    costs = [f"{meta[cost] / 1e6:.4g} {unit} ({meta[cost] / base[cost]:.2%})" for cost, unit in units.items()]
    print(f"{args.out}: {len(plan.widths)} groups, {', '.join(costs)}; in brackets: of the baseline's")


if __name__ == "__main__":
    main()
