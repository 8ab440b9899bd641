"""Plans from anywhere: each that cannot be meant is refused in one line, and in less than a gigabyte of memory."""

import json
import resource
from pathlib import Path

import pytest

from lwdna_mm.errors import UserError
from lwdna_mm.models.builders import LWDNA, as_plan
from tests.digits_runs import tiny_config

GIB = 2**30
WIDTHS = {"backbone.conv1": 8}
SHAPE = [1, 8, 8]


def plan(**changes) -> str:
    return json.dumps({"widths": WIDTHS, "input_shape": [SHAPE], **changes})


REFUSED = {
    "a thousand million channels": (
        plan(widths={"backbone.conv1": 10**9}),
        "1,000,000,000 channels, more than 16 times",
    ),
    "17 times the channels": (plan(widths={"backbone.conv1": 16 * 17}), "272 channels, more than 16 times"),
    "a number without an end": (plan(widths={"backbone.conv1": 10**300}), "more than 16 times"),
    "a number longer than Python reads": ('{"widths": {"backbone.conv1": ' + "9" * 5000 + "}}", "not a plan in JSON"),
    "no channel": (plan(widths={"backbone.conv1": 0}), "neither a width"),
    "fewer than none": (plan(widths={"backbone.conv1": -8}), "neither a width"),
    "half a channel": (plan(widths={"backbone.conv1": 0.5}), "a whole number for each group"),
    "a truth value": (plan(widths={"backbone.conv1": True}), "a whole number for each group"),
    "a list of widths": (plan(widths=[8, 16]), "needs the key 'widths'"),
    "a list": ("[1, 2]", "needs the key 'widths'"),
    "another network's group": (plan(widths={"conv9": 8}), "conv9"),
    "an immense image": (plan(input_shape=[[1, 10**5, 10**5]]), "over 16,777,216 elements"),
    "many images": (plan(input_shape=[[1, 64, 64]] * 10**5), "over 16,777,216 elements"),
    "an image of text": (plan(input_shape="large"), "input_shape"),
    "an image without sides": (plan(input_shape=[[1, 0, 8]]), "input_shape"),
    "no image": (plan(input_shape=[]), "input_shape"),
    "keep that is a number": (plan(keep=5), "keep"),
    "amortized that is text": (plan(amortized=["x"]), "amortized"),
    "lists in lists": ("[" * 10**6, "not a plan in JSON"),
    "dicts in dicts": ('{"a":' * 10**6, "not a plan in JSON"),
    "no text": (b"\xff\xfe\x00", "not a plan in JSON"),
    "nothing": ("", "not a plan in JSON"),
    "far too long": (" " * 2**24 + plan(), "too long for a plan"),
}


@pytest.fixture
def little_memory():
    """At most a GiB more than this process has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + GIB, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.parametrize("about", REFUSED)
def test_it_is_refused(tmp_path, little_memory, about):
    content, told = REFUSED[about]
    path = tmp_path / "plan.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UserError) as refused:
        LWDNA(dict(tiny_config(tmp_path, lwdna=False).model, _scope_="mmpretrain"), path)
    assert told in str(refused.value)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("content", [{}, {"widths": 5}, {"widths": [1]}, {"widths": None}])
def test_a_checkpoints_plan_is_no_better(content):
    with pytest.raises(UserError, match="widths"):
        as_plan(content)
