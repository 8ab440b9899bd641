"""Write a trained network as an ONNX file, checked against torch."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from lwdna_mm.errors import Parser, one_line
from lwdna_mm.options import whole


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="weights of its network, or of one resized to a plan")
    parser.add_argument("--plan", help="that plan; by default the one in the checkpoint")
    parser.add_argument("--batch", type=whole(1), default=1, help="batch size of the inputs; default 1")
    parser.add_argument("--out", default="network.onnx", help="default network.onnx")
    return parser.parse_args(argv)


@one_line
def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    args = parse_args(argv)
    from lwdna_mm.apis.latency import input_options
    from lwdna_mm.apis.trained import load_trained
    from lwdna_mm.engine import load_config
    from lwdna_mm.files import check_target, write_atomically
    from lwdna_mm.latency.onnx import export_onnx
    from lwdna_mm.latency.steps import random_inputs

    check_target(args.out)
    cfg = load_config(args.config)
    shapes = input_options(cfg)["input_shape"]
    network = load_trained(cfg, args.checkpoint, args.plan)
    exported = export_onnx(network, random_inputs(shapes, args.batch))
    write_atomically(exported, Path(args.out))
    print(f"{args.out}: {len(exported) / 1e6:.3g} MB, its outputs equal torch's to 1e-4")


if __name__ == "__main__":
    main()
