"""Random programs in the test run; the long runs are in tests/fuzz_channels.py."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz_channels import run_program

CHECKS = list(HealthCheck)


@settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=CHECKS)
@given(st.randoms(use_true_random=False))
def test_no_program_comes_out_wrong(rng: Random) -> None:
    outcome = run_program(rng, most=10)
    assert outcome in ("exact", "exact once frozen", "nothing to resize"), outcome
