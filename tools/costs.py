"""What a budget of time gives: five networks, searched under equal FLOPs and under equal FLOPs and time, measured.

A network whose result lies in the folder is not measured again, so that the command can be cut off and repeated.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from lwdna_mm.errors import Parser, one_line
from lwdna_mm.options import positive, whole

ROOT = Path(__file__).resolve().parents[1]
# Name: config, its data under the data folder, batch size of a training step.
NETWORKS = {
    "ResNet-20": ("classification/resnet20_lwdna_1xb128_cifar10-folder", "cifar10", 32),
    "MobileNetV2": ("classification/mobilenetv2_lwdna_1xb128_cifar10-folder", "cifar10", 16),
    "EDSR-small": ("super_resolution/edsr-small_lwdna_x2c32b4_1xb16-3000_yang91", "restoration", 16),
    "DnCNN-small": ("denoising/dncnn-small_lwdna_sigma25_1xb32-1500_train400", "restoration", 32),
    "SiamFC-small": ("tracking/siamfc_alexnet-half_lwdna_1xb8-200_dragonbaby", "tracking/otb", 8),
}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"some of {', '.join(NETWORKS)}; default all")
    parser.add_argument("--data", default=os.environ.get("LWDNA_DATA", "data"), help="folder of the data sets")
    parser.add_argument("--out", default="work_dirs/costs", help="results; default work_dirs/costs")
    parser.add_argument("--threads", type=whole(1), default=1, help="default 1")
    parser.add_argument("--plans", type=whole(1), default=30, help="random plans to fit each model on; default 30")
    parser.add_argument("--held-out", type=whole(2), default=12, help="random plans to hold it against; default 12")
    parser.add_argument("--seconds", type=positive, default=30, help="of timing for each model; default 30")
    parser.add_argument("--turns", type=whole(1), default=15, help="of baseline and plans; default 15")
    parser.add_argument("--iters", type=whole(1), default=8, help="mini-batches of a search; default 8")
    args = parser.parse_args(argv)
    unknown = [name for name in args.networks if name not in NETWORKS]
    if unknown:
        parser.error(f"no network {unknown[0]!r}; there are {', '.join(NETWORKS)}")
    return args


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from lwdna_mm.apis.budgets import budget_rows, check_budget_data, measure_budgets
    from lwdna_mm.files import check_folder
    from lwdna_mm.latency import Workload
    from lwdna_mm.tables import print_table

    check_folder(args.out)
    torch.set_num_threads(args.threads)
    how = dict(plans=args.plans, held_out=args.held_out, seconds=args.seconds)
    tasks = {}
    for name in args.networks or NETWORKS:
        config, data, batch = NETWORKS[name]
        options = {
            "data_root": str(Path(args.data, data)),
            "lwdna.preset": "paper",
            "lwdna.shrink.iters": args.iters,
            "train_dataloader.batch_size": batch,
            "train_dataloader.num_workers": 0,
        }
        tasks[name] = ROOT / "configs" / f"{config}.py", options, batch
        check_budget_data(*tasks[name][:2], Path(args.out, name))
    rows, settings = [], {}
    for name, (config, options, batch) in tasks.items():
        found = measure_budgets(
            config,
            options,
            [Workload(1), Workload(32), Workload(batch, train=True)],
            Path(args.out, name),
            lambda line, name=name: print(f"{name}: {line}", flush=True),
            args.turns,
            **how,
        )
        rows += budget_rows(name, found)
        settings[found["setting"]] = None
    print_table(rows)
    print(f"times as multiples of the baseline's: median [quartiles] of {args.turns} turns; {'; '.join(settings)}")


if __name__ == "__main__":
    main()
