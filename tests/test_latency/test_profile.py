"""latency.json: what it predicts, read again; what it refuses."""

import json
import re
from dataclasses import replace

import pytest
import torch
from torch import nn

from lwdna_mm.channels import analyze
from lwdna_mm.errors import UserError
from lwdna_mm.latency import Setting, Workload, read_profile
from tests.test_latency.profiles import digits, profile_of, random_widths


@pytest.fixture
def profile():
    return profile_of(digits()[1], (Workload(1), Workload(8, train=True)))


def test_written_and_read_again(profile, tmp_path):
    profile.write(tmp_path / "latency.json")
    again = read_profile(tmp_path / "latency.json")
    assert (again.setting, again.about, again.divisor, again.widths, again.fitted) == (
        profile.setting,
        profile.about,
        profile.divisor,
        profile.widths,
        profile.fitted,
    )
    for row in random_widths(digits()[1], 5).tolist():
        widths = dict(zip(profile.widths, row, strict=True))
        assert again.predict(widths) == profile.predict(widths)
        assert again.by_layer(widths) == profile.by_layer(widths)
    assert profile.predict({}) == pytest.approx({"batch 1": 1.0, "batch 8, training": 1.0})


def test_another_network_or_setting_is_named(profile):
    here = profile.setting
    graph = digits()[1]
    profile.check("l.json", graph, here)
    with pytest.raises(UserError, match=r"l\.json was measured on another network \(digits, fingerprint"):
        replace(profile, fingerprint="0" * 12).check("l.json", graph, here)
    for name, value in (("device", "Z80"), ("threads", 64), ("dtype", "bf16"), ("channels_last", True)):
        with pytest.raises(UserError, match=f"measured with {name} .*, here it is {value!r}; measure again"):
            profile.check("l.json", graph, replace(here, **{name: value}))


def test_other_kernels_and_strides_are_another_network():
    graphs = [graph_of(), graph_of(kernel_size=7, padding=3), graph_of(stride=2)]
    assert len({graph.fingerprint for graph in graphs}) == 1
    profile = profile_of(graphs[0])
    for graph in graphs[1:]:
        told = f"another network (digits, flops {graphs[0].flops()}, not {graph.flops()}); measure again"
        with pytest.raises(UserError, match=re.escape(told)):
            profile.check("l.json", graph, profile.setting)


def graph_of(kernel_size=3, padding=1, **options):
    conv = nn.Conv2d(1, 4, kernel_size, padding=padding, **options)
    return analyze(nn.Sequential(conv, nn.ReLU(), nn.Conv2d(4, 2, 1)), torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"groups": 3}'])
def test_damaged_files_are_named(tmp_path, content):
    (tmp_path / "l.json").write_text(content)
    with pytest.raises(UserError, match=r"l\.json: (damaged|not written by)"):
        read_profile(tmp_path / "l.json")
    with pytest.raises(UserError, match=r"no such file; write one with tools/latency.py"):
        read_profile(tmp_path / "none.json")


def test_a_workload_without_its_model_is_named(profile, tmp_path):
    profile.write(tmp_path / "l.json")
    content = json.loads((tmp_path / "l.json").read_text())
    del content["workloads"][0]["model"]["lanes"]
    (tmp_path / "l.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="not written by"):
        read_profile(tmp_path / "l.json")


def test_the_processor_has_a_name():
    assert Setting.here().device.split(",")[0].strip()
