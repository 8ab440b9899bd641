"""A few kills of one small pipeline; `python -m tests.crash` has more of them, in all domains."""

import subprocess
import sys

from tests.crash_runs import differences


def test_a_killed_pipeline_ends_as_an_undisturbed_one():
    command = [sys.executable, "-m", "tests.crash", "--kills", "3", "--domain", "digits", "--workers", "0"]
    done = subprocess.run([*command, "--ranks", "1"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "3 kills of 1 pipelines; all ended with the undisturbed result"


def test_the_comparison_sees_a_single_bit():
    import torch

    one = dict(a=[torch.tensor([1.0, 0.0])], b="x")
    assert not [*differences(one, dict(a=[torch.tensor([1.0, 0.0])], b="x"))]
    assert [*differences(one, dict(a=[torch.tensor([1.0, 1e-45])], b="y", c=1))] == ["/a/0", "/b", "/c"]
