import pytest

from lwdna_mm.engine import load_config, parse_section, run
from lwdna_mm.engine.presets import PRESETS
from lwdna_mm.errors import UserError
from lwdna_mm.runs.summary import COSTS
from tests.digits_runs import CONFIGS, tiny_config

TWIN = CONFIGS / "resnet8_lwdna_1xb32_digits.py"


def test_the_papers_setting():
    section = parse_section(dict(preset="paper", input_shape=(3, 8, 8)))
    shrink = section.shrink
    assert (shrink.criterion, shrink.policy, shrink.min_ratio) == (dict(type="GradientCriterion"), "threshold", 0.4)
    assert (shrink.warmup_iters, shrink.iters, shrink.divisor, shrink.grow_last) == (0, 16, 1, True)
    assert not parse_section(dict(input_shape=(3, 8, 8))).shrink.grow_last
    assert (section.widen, section.budget.options, section.init) == (2.0, dict(flops=1.0), "inherit")


def test_the_start_alone_keeps_the_baselines_widths(tmp_path):
    cfg = tiny_config(tmp_path / "run", **{"lwdna__preset": "start"})
    summary = run(cfg)
    assert {name: summary[name] for name in COSTS} == summary["baseline"]


def test_what_a_config_says_itself_holds(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(f"_base_ = [{str(TWIN)!r}]\nlwdna = dict(preset='paper', widen=3.0, shrink=dict(min_ratio=0.2))\n")
    section = parse_section(load_config(path, {"lwdna.shrink.iters": 4}).lwdna)
    assert (section.widen, section.shrink.min_ratio, section.shrink.iters) == (3.0, 0.2, 4)


def test_on_the_command_line_as_in_the_file(monkeypatch):
    other = dict(widen=1.5, shrink=dict(PRESETS["paper"]["shrink"], policy="density"), budget=dict(acts=1.0))
    monkeypatch.setitem(PRESETS, "other", other)
    section = parse_section(load_config(TWIN, {"lwdna.preset": "other", "lwdna.shrink.min_ratio": 0.3}).lwdna)
    assert (section.widen, section.shrink.policy, section.shrink.min_ratio) == (1.5, "density", 0.3)
    assert section.budget.options == dict(acts=1.0)
    assert parse_section(load_config(TWIN).lwdna).widen == 2.0


def test_a_preset_in_a_dict_and_one_that_comes_too_late():
    assert parse_section(load_config(TWIN, {"lwdna": dict(preset="paper")}).lwdna).shrink.grow_last
    cfg = load_config(TWIN, {"lwdna": dict(preset="start", widen=1.5)})
    section = parse_section(cfg.lwdna)
    assert (section.widen, section.shrink.criterion, section.shrink.min_ratio) == (
        1.5,
        dict(type="UniformCriterion"),
        0,
    )
    cfg.lwdna.preset = "paper"
    with pytest.raises(UserError, match=r"lwdna\.preset 'paper' would change nothing, .* lwdna\.preset=paper"):
        parse_section(cfg.lwdna)


def test_there_is_no_such_preset():
    with pytest.raises(UserError, match=r"lwdna\.preset is 'papre', but must be one of paper"):
        load_config(TWIN, {"lwdna.preset": "papre"})


def test_the_policy_is_the_criterions_unless_it_is_said():
    policies = [
        parse_section(load_config(TWIN, options).lwdna).shrink.policy
        for options in (
            {},
            {"lwdna.shrink.criterion.type": "ResponseCriterion"},
            {"lwdna.shrink.criterion.type": "ResponseCriterion", "lwdna.shrink.policy": "threshold"},
            {"lwdna.shrink.policy": "density"},
        )
    ]
    assert policies == ["threshold", "density", "threshold", "density"]
