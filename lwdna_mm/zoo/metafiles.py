"""The metafiles of the configs, and what is made from them: ``model-index.yml`` and ``model_zoo.md``."""

from pathlib import Path
from typing import Any

import yaml

from ..engine import load_config, parse_section
from ..engine.protocol import build_model
from ..errors import UserError
from ..files import write_atomically
from ..models.trace import trace
from .index import read_yaml
from .page import write_page

TASKS = {
    "classification": "Image Classification",
    "super_resolution": "Super-Resolution",
    "denoising": "Denoising",
    "tracking": "Visual Tracking",
}
PAPER = dict(
    Title="The Heterogeneity Hypothesis: Finding Layer-Wise Differentiated Network Architectures",
    URL="https://arxiv.org/abs/2006.16242",
)


def metafile_path(folder: str) -> str:
    """Where the metafile of a folder of configs lies, below the root."""
    return f"configs/{folder}/metafile.yml"


def make_texts(root: Path, added: dict[str, Any] | None = None) -> dict[str, str]:
    """All generated files of a repository, as they should be: path below ``root`` to text.

    A metafile keeps its entries and the costs that it has; networks of configs that it lacks are traced.

    Args:
        root: of the repository.
        added: one more entry, which takes the place of one of the same name.
    """
    metafiles = {folder: _metafile(root, folder, added) for folder in TASKS}
    texts = {metafile_path(folder): _yaml(metafile) for folder, metafile in metafiles.items()}
    texts["model-index.yml"] = _yaml(dict(Import=[metafile_path(folder) for folder in TASKS]))
    texts["model_zoo.md"] = write_page(metafiles)
    return texts


def stale(root: Path) -> list[str]:
    """The generated files that are not as they should be."""
    return [path for path, text in make_texts(root).items() if not _holds(root / path, text)]


def update(root: Path, added: dict[str, Any] | None = None) -> list[str]:
    """Write the generated files that are not as they should be; returns their paths."""
    texts = make_texts(root, added)
    changed = [path for path, text in texts.items() if not _holds(root / path, text)]
    for path in changed:
        write_atomically(texts[path].encode(), root / path)
    return changed


def find_config(root: Path, stem: str) -> str:
    """The path, below ``root``, of the config of a name.

    Raises:
        UserError: there is none.
    """
    for folder in TASKS:
        if (root / "configs" / folder / f"{stem}.py").is_file():
            return f"configs/{folder}/{stem}.py"
    raise UserError(f"no config {stem}.py in {', '.join(f'configs/{folder}' for folder in TASKS)}")


def _metafile(root: Path, folder: str, added: dict[str, Any] | None) -> dict[str, Any]:
    path = root / metafile_path(folder)
    models = read_yaml(path)["Models"] if path.is_file() else []
    known = {model["Name"]: model for model in models if "Weights" not in model}
    entries = {model["Name"]: model for model in models if "Weights" in model}
    if added is not None and Path(added["Config"]).parent.name == folder:
        entries[added["Name"]] = added
    configs = [_baseline(root, twin, known) for twin in sorted((root / "configs" / folder).glob("*_lwdna_*.py"))]
    collection = dict(Name=f"LW-DNA {folder}", README="README.md", Paper=PAPER)
    return dict(Collections=[collection], Models=[*configs, *(entries[name] for name in sorted(entries))])


def _baseline(root: Path, twin: Path, known: dict[str, Any]) -> dict[str, Any]:
    """The network of a config and its twin, without weights."""
    stem = twin.stem.replace("_lwdna_", "_")
    if stem in known:
        return known[stem]
    cfg = load_config(twin)
    graph = trace(build_model(cfg), parse_section(cfg.lwdna).trace_options)
    return {
        "Name": stem,
        "In Collection": f"LW-DNA {twin.parent.name}",
        "Config": twin.with_stem(stem).relative_to(root).as_posix(),
        "Metadata": {"FLOPs": graph.flops(), "Parameters": graph.params()},
    }


def _yaml(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False, width=120, allow_unicode=True)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text
