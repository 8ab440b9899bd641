"""Weights as safetensors, which mmengine does not read: tensors and text, and nothing that could run."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import UserError

SUFFIX = ".safetensors"
MOST_LISTED = 2**21  # bytes of the header, which has about a hundred for a tensor
# Texts in the header: the plan of the network (JSON), and the config that it is of.
PLAN, CONFIG = "lwdna_plan", "config"


def read_safetensors(path: str | Path) -> dict[str, Any]:
    """Read a file of the model zoo as mmengine has checkpoints.

    Returns:
        ``state_dict``, where half precision has become float32, and ``meta``: ``lwdna_plan`` where the network is
        resized, ``config`` where the file names one.

    Raises:
        UserError: the file is damaged.
    """
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
        if length > MOST_LISTED:
            raise ValueError(f"its header is said to have {length} bytes")
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            state = {name: _full(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118  it is no dict
            plan = json.loads(texts[PLAN]) if PLAN in texts else None
    except (SafetensorError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read as safetensors ({error})") from error
    meta = {PLAN: plan, CONFIG: texts.get(CONFIG)}
    return dict(state_dict=state, meta={key: value for key, value in meta.items() if value is not None})


def to_safetensors(state: dict[str, Tensor], config: str, plan: dict[str, Any] | None, half: bool = False) -> bytes:
    """A state dict as the bytes of a file.

    Args:
        state: of a network.
        config: its config, below ``configs``.
        plan: what it was resized to, if it was.
        half: keep floating-point tensors in half precision.

    Raises:
        UserError: a value is too large for half precision.
    """
    tensors = {name: _packed(name, value, half) for name, value in state.items()}
    texts = {CONFIG: config, "format": "pt"}
    if plan is not None:
        texts[PLAN] = json.dumps(plan, sort_keys=True, separators=(",", ":"))
    return save(tensors, texts)


def _packed(name: str, value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous().clone()  # tensors that share memory are refused
    if not (half and value.is_floating_point()):
        return value
    packed = value.half()
    if not packed.isfinite().all():
        raise UserError(f"{name} does not fit half precision")
    return packed


def _full(value: Tensor) -> Tensor:
    return value.float() if value.dtype == torch.float16 else value
