"""Command-line options that several tools share."""

import argparse

from mmengine.config import DictAction


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """What every tool that starts a runner takes: ``config``, ``--launcher``, ``--cfg-options``."""
    parser.add_argument("config", help="config file")
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help="set by torch's old launcher")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, help="changes to the config: key=value ...")


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """What every tool that trains or searches takes besides: ``--seed``, ``--amp``."""
    add_run_options(parser)
    parser.add_argument("--seed", type=int, help="random seed; default 0")
    parser.add_argument("--amp", action="store_true", help="mixed precision: float16, or bfloat16 on the CPU")
