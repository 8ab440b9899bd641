"""One run of a network as a function without arguments, to be timed."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from .onnx import onnx_step
from .setting import DTYPES, Setting, Workload

Step = Callable[[], object]


def random_inputs(shapes: Sequence[Sequence[int]], batch: int) -> tuple[Tensor, ...]:
    """Inputs of the given shapes (C, H, W) as (batch, C, H, W), the same at every call."""
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.rand((batch, *shape), generator=generator) for shape in shapes)


def make_step(network: nn.Module, shapes: Sequence[Sequence[int]], workload: Workload, setting: Setting) -> Step:
    """A function that runs ``network(*inputs, mode='tensor')`` once, as the workload and the setting say.

    A training step goes forward, backward from the mean squares of the outputs, and through an update by SGD at a
    learning rate of 0. The network is moved to the setting's device, set to its layout and to the workload's mode;
    where networks are timed in turns, let each have a step of its own.

    Args:
        network: a model in mmengine's sense, or anything else that knows ``mode='tensor'``.
        shapes: (C, H, W) of every input.
    """
    inputs = random_inputs(shapes, workload.batch)
    network.train(workload.train)
    if setting.backend == "onnxruntime":
        return onnx_step(network, inputs, setting.threads)
    device = torch.device("cuda" if setting.cuda else "cpu")
    layout = torch.channels_last if setting.channels_last else torch.contiguous_format
    network.to(device=device, memory_format=layout)
    inputs = tuple(one.to(device=device, memory_format=layout) for one in inputs)
    autocast = torch.autocast(device.type, DTYPES[setting.dtype], enabled=setting.dtype != "fp32")

    def infer() -> None:
        with torch.inference_mode(), autocast:
            network(*inputs, mode="tensor")

    if not workload.train:
        return infer
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0, momentum=0.9)

    def train() -> None:
        optimizer.zero_grad()
        with autocast:
            outputs = tree_leaves(network(*inputs, mode="tensor"))
        sum(output.float().square().mean() for output in outputs).backward()
        optimizer.step()

    return train
