import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "modules", ["lwdna_mm.engine", pytest.param("lwdna_mm, mmpretrain.datasets", marks=pytest.mark.full)]
)
def test_importing_the_data_sets_says_nothing(modules: str):
    code = f"import {modules}; print('done')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"
