"""model_zoo.md, from the metafiles."""

from pathlib import Path
from typing import Any

HEAD = """# Model zoo

<!-- Written by `python tools/zoo.py` from the metafiles in configs/: change those. -->

Networks that this package has trained, small enough to come with it, and plans. What more has been measured, with
seeds and controls, is in [results.md](docs/results.md), [evidence.md](docs/evidence.md),
[restoration.md](docs/restoration.md) and [tracking.md](docs/tracking.md): an entry here is one run, and shows that
something works, not that one network is better than another. Metrics are those of the file, on the config's test
sets; times are those of one thread of a machine that may have had other work.

## Two commands

    python tools/download.py NAME      # checks the file and copies it to work_dirs/zoo; --list shows what there is

and then, for one of each task:

"""
AFTER = """
In Python: `lwdna_mm.zoo.load("NAME")`. The files come with the package; the environment variable `LWDNA_ZOO_URL` names
another place (`http(s)://...`, `file://...`, a folder), from where they are fetched, checked against the metafile's
sha256, and kept. `python tools/zoo.py add NAME WORK_DIR --command "..."` makes an entry of a finished run.
"""
CONFIGS = """## Configs

Every network has a twin, which adds an `lwdna` section and has `_lwdna` after the network's name.
FLOPs are multiply-adds of one input of the config; published figures beside ours are in
[networks.md](docs/networks.md).
"""
# What to do with a checkpoint of each task, on what comes with the repository.
USES = {
    "classification": "python tools/test.py {config} {file}",
    "super_resolution": "python tools/restore.py {config} {file} docs/images/astronaut.png --out work_dirs/restored",
    "denoising": "python tools/restore.py {config} {file} docs/images/astronaut.png --out work_dirs/denoised",
    "tracking": "python tools/track.py {config} {file} docs/images/face.mp4 --box 31,41,30,36 --out work_dirs/tracked",
}


def write_page(metafiles: dict[str, dict[str, Any]]) -> str:
    """The page.

    Args:
        metafiles: content of the metafile of every folder of configs.
    """
    entries = {
        folder: [model for model in metafile["Models"] if "Weights" in model] for folder, metafile in metafiles.items()
    }
    uses = [_use(folder, models) for folder, models in entries.items() if any(map(_trained, models))]
    parts = [HEAD + "\n".join(uses) + AFTER]
    parts += [f"## {_title(folder)}\n\n{_table(models)}" for folder, models in entries.items() if models]
    parts.append(CONFIGS)
    parts += [_configs(folder, metafile) for folder, metafile in metafiles.items()]
    return "\n".join(parts)


def _use(folder: str, models: list[dict[str, Any]]) -> str:
    """The two commands with a trained entry of a folder: LW-DNA if there is one, and data that need no download."""
    trained = [model for model in models if _trained(model)]
    model = max(trained, key=lambda one: ("_digits." in one["Config"], "_lwdna_" in one["Config"]))
    file = f"work_dirs/zoo/{Path(model['Weights']).name}"
    use = USES[folder].format(config=model["Config"], file=file)
    return f"    python tools/download.py {model['Name']}\n    {use}\n"


def _trained(model: dict[str, Any]) -> bool:
    return not model["Weights"].endswith(".json")


def _table(models: list[dict[str, Any]]) -> str:
    lines = ["| entry | metrics | MFLOPs | parameters | seed | training, s | KiB |", "| --- " * 7 + "|"]
    lines += ["| " + " | ".join(_row(model)) + " |" for model in models]
    return "\n".join([*lines, "", *map(_origin, models), ""])


def _row(model: dict[str, Any]) -> list[str]:
    facts = model["Metadata"]
    metrics = model["Results"][0]["Metrics"] if "Results" in model else {}
    return [
        f"[`{model['Name']}`]({model['Config']})",
        ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()) or "only a plan",
        f"{facts['FLOPs'] / 1e6:.4g}",
        f"{facts['Parameters']:,}",
        str(facts.get("Seed", "-")),
        f"{facts['Training Time']:.0f}" if "Training Time" in facts else "-",
        f"{facts['Size'] / 1024:.0f}" + (" (half precision)" if "Precision" in facts else ""),
    ]


def _origin(model: dict[str, Any]) -> str:
    facts = model["Metadata"]
    note = f" {facts['Note']}" if "Note" in facts else ""
    return f"- `{model['Name']}`: `{facts['Command']}`.{note}"


def _configs(folder: str, metafile: dict[str, Any]) -> str:
    lines = [f"| {_title(folder).lower()} | MFLOPs | parameters |", "| --- | --- | --- |"]
    for model in metafile["Models"]:
        if "Weights" not in model:
            facts = model["Metadata"]
            name = f"[{model['Name']}]({model['Config']})"
            lines.append(f"| {name} | {facts['FLOPs'] / 1e6:,.1f} | {facts['Parameters']:,} |")
    return "\n".join(lines) + "\n"


def _title(folder: str) -> str:
    return folder.replace("_", "-").capitalize()
