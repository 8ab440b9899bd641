"""From nothing to a report in minutes: a small ResNet on handwritten digits, its LW-DNA twin and both controls."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from lwdna_mm.errors import Parser, one_line
from lwdna_mm.options import whole

CONFIGS = Path(__file__).resolve().parents[1] / "configs" / "classification"
BASELINE, TWIN = CONFIGS / "resnet8_1xb32_digits.py", CONFIGS / "resnet8_lwdna_1xb32_digits.py"
RUNS = {
    "baseline": (BASELINE, {}),
    "lwdna": (TWIN, {}),
    "random": (TWIN, {"lwdna.shrink.criterion": dict(type="RandomCriterion")}),
    "uniform": (TWIN, {"lwdna.shrink.criterion": dict(type="UniformCriterion")}),
}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("--seeds", type=whole(1), default=2, help="runs of every network")
    parser.add_argument("--epochs", type=whole(1), default=40)
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/demo"))
    return parser.parse_args(argv)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    import torch

    from lwdna_mm import engine
    from lwdna_mm.visualization.report import format_table, write_report

    torch.set_num_threads(1)  # the networks are too small to share out
    work_dirs = []
    for seed in range(args.seeds):
        for name, (config, options) in RUNS.items():
            started = time.perf_counter()
            cfg = engine.load_config(config, {**options, "train_cfg.max_epochs": args.epochs, "log_level": "ERROR"})
            cfg.randomness.seed = seed
            cfg.work_dir = str(args.work_dir / f"{name}_seed{seed}")
            print(f"{name}, seed {seed} ...", end=" ", flush=True)
            summary = engine.run(cfg)
            reached = ", ".join(f"{key} {value:.2f}" for key, value in summary["metrics"]["last"].items())
            print(f"{reached} ({time.perf_counter() - started:.0f} s)", flush=True)
            work_dirs.append(cfg.work_dir)
    page = write_report(work_dirs, args.work_dir / "report")
    print(f"\n{format_table(work_dirs)}\n\nreport: {page.resolve()}")


if __name__ == "__main__":
    main()
