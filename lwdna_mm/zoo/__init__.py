"""The model zoo: networks trained with this package, and plans, by name."""

from pathlib import Path

from torch import nn

from ..apis.trained import load_trained
from ..engine import load_config
from ..engine.planned import resized_model
from ..engine.protocol import build_model
from .download import fetch
from .index import Entry, find_entry, iterate_entries

__all__ = ["Entry", "fetch", "find_entry", "iterate_entries", "load"]


def load(name: str, address: str | None = None) -> nn.Module:
    """A network of the zoo in evaluation mode: a trained one, or a new one of a plan where the entry is only a plan.

    Args:
        name: of the entry, as in model_zoo.md.
        address: of the zoo, see :func:`fetch`.

    Raises:
        UserError: there is no such entry, or its file cannot be had.
    """
    entry = find_entry(name)
    path = fetch(entry, address=address)
    cfg = load_config(entry.config_path)
    if Path(entry.file).suffix == ".json":
        cfg.model = resized_model(cfg, path)
        return build_model(cfg).eval()
    return load_trained(cfg, path).eval()
