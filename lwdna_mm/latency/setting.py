"""What is timed, and on what: the conditions that a time holds for."""

import platform
from dataclasses import dataclass
from pathlib import Path

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
BACKENDS = ("torch", "onnxruntime")


@dataclass(frozen=True)
class Workload:
    """One way to run a network.

    Attributes:
        batch: samples at once.
        train: a training step (forward, backward, update) rather than inference.
    """

    batch: int
    train: bool = False

    def __str__(self) -> str:
        return f"batch {self.batch}{', training' if self.train else ''}"


@dataclass(frozen=True)
class Setting:
    """The conditions of a measurement; times of one are nothing to another.

    Attributes:
        device: name of the processor.
        threads: that compute one operation.
        dtype: ``'fp32'``; or ``'bf16'``, ``'fp16'``: by autocast.
        backend: ``'torch'`` or ``'onnxruntime'``.
        channels_last: whether weights and inputs are laid out so.
        cuda: whether the device is torch's GPU.
    """

    device: str
    threads: int
    dtype: str = "fp32"
    backend: str = "torch"
    channels_last: bool = False
    cuda: bool = False

    @classmethod
    def here(
        cls,
        threads: int | None = None,
        dtype: str = "fp32",
        backend: str = "torch",
        channels_last: bool = False,
        cuda: bool = False,
    ) -> "Setting":
        """A setting on this machine; by default with as many threads as torch has in this process."""
        device = torch.cuda.get_device_name() if cuda else _processor()
        return cls(device, threads or torch.get_num_threads(), dtype, backend, channels_last, cuda)


def _processor() -> str:
    """The processor's name, and its vector instructions as torch sees them: kernels depend on them."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(names, platform.processor() or platform.machine())
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"
