"""Networks as ONNX files, run by ONNX Runtime: an optional extra, ``pip install lwdna_mm[onnx]``."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ..errors import UserError

TOLERANCE = 1e-4


def export_onnx(network: nn.Module, inputs: Sequence[Tensor]) -> bytes:
    """The network in eval mode as an ONNX file for inputs of these very shapes, checked against torch.

    Args:
        network: called as ``network(*inputs, mode='tensor')``; on the CPU.
        inputs: each (N, C, H, W).

    Raises:
        UserError: the extra is not installed, or ONNX Runtime's outputs differ from torch's by more than 1e-4 of
            their largest value.
    """
    _need("onnx", "onnxscript", "onnxruntime")
    wrapped = _TensorMode(network).eval()
    program = torch.onnx.export(wrapped, tuple(inputs), dynamo=True, verbose=False)
    exported = program.model_proto.SerializeToString()
    with torch.no_grad():
        expected = [output.numpy() for output in wrapped(*inputs)]
    for real, wanted in zip(run_onnx(exported, inputs), expected, strict=True):
        error = np.abs(real - wanted).max() / max(np.abs(wanted).max(), 1e-6)
        if not error <= TOLERANCE:
            raise UserError(f"ONNX Runtime's output differs from torch's by {error:.1e} of its size, more than 1e-4")
    return exported


def run_onnx(exported: bytes, inputs: Sequence[Tensor], threads: int = 1) -> list[np.ndarray]:
    """The outputs of an exported network."""
    return _runner(exported, inputs, threads)()


def onnx_step(network: nn.Module, inputs: Sequence[Tensor], threads: int) -> Callable[[], list[np.ndarray]]:
    """A function that runs the exported network once."""
    return _runner(export_onnx(network, inputs), inputs, threads)


def _runner(exported: bytes, inputs: Sequence[Tensor], threads: int) -> Callable[[], list[np.ndarray]]:
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
    feeds = {one.name: value.numpy() for one, value in zip(session.get_inputs(), inputs, strict=True)}
    return lambda: session.run(None, feeds)


def _need(*packages: str) -> None:
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise UserError(f"{', '.join(missing)} not installed: pip install 'lwdna_mm[onnx]'")


class _TensorMode(nn.Module):
    """The network in tensor mode as a function of its inputs alone, with a flat tuple of outputs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(tree_leaves(self.network(*inputs, mode="tensor")))
