"""A few networks of tests/timm_networks.py. All of them: python -m tests.check_networks --timm."""

import pytest

from tests.check_networks import check


@pytest.mark.parametrize("name", ["beit_base_patch16_224", "test_efficientnet"])
def test_shrinks_and_widens_exactly(name: str) -> None:
    assert check(name)[-4:] == ["yes"] * 4
