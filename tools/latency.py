"""Measure the time of a config's network and its plans on this device, and model it for searches with a time budget.

Called latency.py, not profile.py: a file of that name would hide Python's own ``profile`` from everything in tools/.
"""

import argparse
import functools
from collections.abc import Sequence

import torch

from lwdna_mm.errors import Parser, UserError, one_line
from lwdna_mm.options import positive, whole


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("config", help="config file, of the baseline or its LW-DNA twin")
    parser.add_argument("--plan", nargs="+", default=[], help="plans to time beside the baseline")
    parser.add_argument("--batch", type=whole(1), nargs="+", default=[1, 128], help="of inference; default 1 128")
    parser.add_argument(
        "--train",
        type=whole(1),
        nargs="*",
        metavar="BATCH",
        help="training steps too; default: the config's batch",
    )
    parser.add_argument("--dtype", choices=["fp32", "bf16", "fp16"], default="fp32", help="by autocast; default fp32")
    parser.add_argument("--threads", type=whole(1), help="threads of an operation; default: torch's")
    parser.add_argument("--backend", choices=["torch", "onnxruntime"], default="torch", help="default torch")
    parser.add_argument("--cuda", action="store_true", help="on torch's GPU")
    parser.add_argument("--divisor", type=whole(1), help="of the plans' widths; default: lwdna.shrink.divisor")
    parser.add_argument("--out", default="latency.json", help="the model; default latency.json")
    parser.add_argument("--plans", type=whole(0), default=40, help="random plans to fit it on, 0: none; default 40")
    parser.add_argument("--held-out", type=whole(2), default=12, help="random plans to hold it against; default 12")
    parser.add_argument(
        "--seconds", type=positive, default=60, help="for each way to run the network, or 3 turns; default 60"
    )
    parser.add_argument("--turns", type=whole(1), default=15, help="at most so many; default 15")
    args = parser.parse_args(argv)
    if args.backend == "onnxruntime" and (args.train is not None or args.dtype != "fp32" or args.cuda):
        parser.error("onnxruntime times inference in fp32 on the CPU only")
    if args.cuda and not torch.cuda.is_available():
        parser.error("torch finds no GPU")
    return args


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from lwdna_mm.apis.latency import Timed, cost_rows, layer_rows, profile_latency
    from lwdna_mm.engine import load_config
    from lwdna_mm.files import check_target
    from lwdna_mm.latency import Setting, Workload
    from lwdna_mm.tables import print_table

    if args.plans:
        check_target(args.out)
    cfg = load_config(args.config)
    timed = Timed(cfg)
    workloads = [Workload(batch) for batch in args.batch]
    if args.train is not None:
        if not args.train and cfg.get("train_dataloader") is None:
            raise UserError(f"{args.config}: has no train_dataloader, whose batch size --train would take: give it one")
        batches = args.train or [cfg.train_dataloader.batch_size]
        workloads += [Workload(batch, train=True) for batch in batches]
    planned = {plan: timed.of_plan(plan) for plan in args.plan}
    setting = Setting.here(args.threads, args.dtype, args.backend, timed.channels_last, args.cuda)
    torch.set_num_threads(setting.threads)
    networks = {"baseline": (timed.network, timed.graph), **planned}
    tell = functools.partial(print, flush=True)
    print_table(cost_rows(networks, timed, workloads, setting, tell, turns=args.turns, seconds=args.seconds))
    print()
    print_table(layer_rows(networks, timed, workloads[0], setting))
    print(f"\n{setting}")
    if args.plans:
        how = dict(plans=args.plans, held_out=args.held_out, seconds=args.seconds, turns=args.turns)
        divisor = args.divisor or (cfg.get("lwdna") or {}).get("shrink", {}).get("divisor", 1)
        profile_latency(timed, workloads, setting, tell, divisor, **how).write(args.out)
        print(f"written to {args.out}")


if __name__ == "__main__":
    main()
