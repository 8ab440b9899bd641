"""The classification configs find their data."""

import pytest
from mmengine.registry import DATASETS, init_default_scope

from lwdna_mm.engine import load_config
from lwdna_mm.engine.config import DATALOADERS
from tests.digits_runs import CONFIGS


@pytest.mark.parametrize(
    ("config", "folder", "expected"),
    [
        ("resnet20_1xb128_cifar10-folder.py", "cifar10", [20_000, 10_000, 10_000]),
        ("mobilenetv1-half_1xb128-200k_tiny-imagenet-50.py", "tiny-imagenet-50", [20_000, 7_500, 7_500]),
    ],
)
def test_data_is_found(shared_data, config, folder, expected):
    cfg = load_config(CONFIGS / config, {"data_root": str(shared_data / folder)})
    init_default_scope(cfg.default_scope)
    assert [len(DATASETS.build(cfg[key].dataset)) for key in DATALOADERS] == expected
