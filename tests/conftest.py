import os
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    # The suite runs one process a core; more threads than that only slow it down.
    torch.set_num_threads(1)


@pytest.fixture
def shared_data() -> Path:
    """The folder of real images beside the project; tests that need it are extra."""
    folder = Path(os.environ.get("LWDNA_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}; set LWDNA_DATA")
    return folder
