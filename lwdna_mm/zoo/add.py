"""Making an entry of a finished run, or of a plan."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

from ..apis.trained import load_trained
from ..channels import ChannelPlan
from ..compat.safetensors_file import SUFFIX, to_safetensors
from ..engine import evaluate, load_config
from ..engine.planned import naming_plan, resized_model
from ..engine.protocol import build_model
from ..errors import UserError
from ..files import write_atomically
from ..runs.checkpoint_file import find_last_checkpoint, load_checkpoint_file
from ..runs.summary import SUMMARY, read_written
from .index import check_name
from .metafiles import TASKS, find_config, update

LARGEST, LARGEST_TOGETHER = 2 << 20, 20 << 20


def add_run(root: Path, name: str, work_dir: Path, command: str, half: bool = False, note: str | None = None) -> dict:
    """Put the network of a finished run into the zoo: its last checkpoint, with the metrics that the file has.

    Args:
        root: of the repository.
        name: of the entry.
        work_dir: of the run, by a config of the repository; its data must be there.
        command: that has made the run.
        half: keep the weights in half precision.
        note: what else should be known of it.

    Returns:
        What the metafile now says of it.

    Raises:
        UserError: the run is not finished, not of a config of the repository, or too large; nothing is changed then.
    """
    check_name(name)
    summary = _read_summary(work_dir)
    config = find_config(root, summary["config"])
    checkpoint = find_last_checkpoint(work_dir)
    if checkpoint is None:
        raise UserError(f"{work_dir}: no checkpoint of a finished run")
    loaded = load_checkpoint_file(checkpoint)
    plan = loaded.get("meta", {}).get("lwdna_plan")
    data = to_safetensors(loaded["state_dict"], config.removeprefix("configs/"), plan, half)
    target = _target(root, name + SUFFIX, data)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, target.name)
        file.write_bytes(data)
        load_trained(load_config(root / config), file)
        metrics = _metrics(work_dir / Path(config).name, file, folder)
    facts = {
        "FLOPs": summary["flops"],
        "Parameters": summary["params"],
        "Seed": summary["seed"],
        "Training Time": round(summary["training"]["seconds"], 1),
        "Command": command,
    }
    if half:
        facts["Precision"] = "float16"
    result = dict(Task=TASKS[Path(config).parent.name], Dataset=Path(config).stem.split("_")[-1], Metrics=metrics)
    return _publish(root, name, config, facts, target, data, note, [result])


def add_plan(root: Path, name: str, plan: Path, config: str, command: str, note: str | None = None) -> dict:
    """Put a plan alone into the zoo.

    Args:
        root, name, command, note: as for :func:`add_run`.
        plan: plan.json.
        config: name of the config whose network it is of.

    Raises:
        UserError: it is no plan of this network.
    """
    check_name(name)
    path = find_config(root, Path(config).stem)
    content = ChannelPlan.from_json(plan)
    cfg = load_config(root / path)
    cfg.model = resized_model(cfg, content)
    with naming_plan(plan):
        params = sum(parameter.numel() for parameter in build_model(cfg).parameters())
    if params != content.meta.get("params"):
        raise UserError(f"{plan}: its network has {params} parameters, the plan says {content.meta.get('params')}")
    facts = {"FLOPs": content.meta["flops"], "Parameters": params, "Seed": content.meta["seed"], "Command": command}
    data = json.dumps({**content.meta, "widths": content.widths}, indent=1, sort_keys=True).encode() + b"\n"
    return _publish(root, name, path, facts, _target(root, f"{name}.json", data), data, note)


def _read_summary(work_dir: Path) -> dict[str, Any]:
    path = work_dir / SUMMARY
    if not path.is_file():
        raise UserError(f"{path}: no such file; give the work_dir of a finished run, or a plan.json with --config")
    return read_written(path, "config", "seed", "flops", "params", "training")


def _target(root: Path, file: str, data: bytes) -> Path:
    """Where a file goes, if there is room."""
    target = root / "zoo" / file
    others = sum(path.stat().st_size for path in target.parent.glob("*") if path != target)
    if len(data) > LARGEST:
        raise UserError(f"{file} has {len(data)} bytes, and may have {LARGEST}: --half halves it")
    if others + len(data) > LARGEST_TOGETHER:
        raise UserError(f"{file} has {len(data)} bytes, with {others} of the others more than {LARGEST_TOGETHER}")
    return target


def _metrics(config: Path, file: Path, folder: str) -> dict[str, float]:
    """The metrics of the stored weights on the run's own test set; no speeds, which are this machine's."""
    cfg = load_config(config)
    cfg.work_dir = folder
    metrics = evaluate(cfg, file)
    return {key: round(value, 4) for key, value in metrics.items() if type(value) is float and "fps" not in key}


def _publish(
    root: Path,
    name: str,
    config: str,
    facts: dict[str, Any],
    target: Path,
    data: bytes,
    note: str | None,
    results: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    facts |= {"Note": note} if note else {}
    facts |= {"SHA256": hashlib.sha256(data).hexdigest(), "Size": len(data)}
    entry = {
        "Name": name,
        "In Collection": f"LW-DNA {Path(config).parent.name}",
        "Config": config,
        "Metadata": facts,
        **({"Results": results} if results else {}),
        "Weights": f"zoo/{target.name}",
    }
    write_atomically(data, target)
    update(root, entry)
    return entry
