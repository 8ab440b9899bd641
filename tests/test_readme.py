"""What the README tells people to type."""

import importlib.util
import re
from pathlib import Path

import torch

from lwdna_mm.engine.protocol import build_model
from tests.digits_runs import CONFIGS, tiny_config, tiny_options

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


def test_plan_in_plain_pytorch(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("shrink_tool", ROOT / "tools" / "shrink.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    options = [f"{key}={value}" for key, value in tiny_options(True).items()]
    plan = tmp_path / "plan.json"
    config = str(CONFIGS / "resnet8_lwdna_1xb32_digits.py")
    tool.main([config, "--out", str(plan), "--work-dir", str(tmp_path), "--cfg-options", *options])

    snippet = next(code for code in re.findall(r"```python\n(.*?)```", README, re.S) if "ChannelPlan" in code)
    assert len(snippet.splitlines()) <= 10
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    names: dict = {}
    exec(snippet, names)

    cfg = tiny_config(tmp_path)
    cfg.model = dict(type="LWDNA", model=cfg.model, plan="plan.json")
    ours, theirs = names["small"].eval(), build_model(cfg).eval()
    assert type(ours) is type(theirs)
    theirs.load_state_dict(ours.state_dict())
    images = torch.rand(2, 1, 8, 8)
    assert torch.equal(ours(images, mode="tensor"), theirs(images, mode="tensor"))


def test_links_and_files_exist():
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README) + re.findall(r"(?:tools|configs)/[\w./-]+", README)
    assert targets
    missing = [target for target in targets if not (ROOT / target.rstrip(".")).exists()]
    assert missing == []


def headings(page: Path) -> set[str]:
    """The anchors that a page's headings have where it is shown: in lower case, joined by hyphens."""
    lines = re.sub(r"```.*?```", "", page.read_text(), flags=re.S).splitlines()
    titles = [line.lstrip("#").strip().lower() for line in lines if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}


def test_every_page_leads_where_it_says():
    missing, seen = [], 0
    for page in [ROOT / "README.md", ROOT / "model_zoo.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target, anchor in re.findall(r"\]\((?!http)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
            found, seen = page.parent / target if target else page, seen + 1
            if not found.exists() or (anchor and anchor not in headings(found)):
                missing.append(f"{page.relative_to(ROOT)}: {target}#{anchor}")
    assert seen > 100
    assert missing == []
