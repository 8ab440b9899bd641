"""The classification configs find their data."""

from lwdna_mm.engine import load_config
from lwdna_mm.engine.protocol import build_model
from tests.digits_runs import CONFIGS


def test_folder_data_is_found(shared_data):
    from mmengine.registry import DATASETS

    cfg = load_config(CONFIGS / "resnet20_1xb128_cifar10-folder.py", {"data_root": str(shared_data / "cifar10")})
    build_model(cfg)  # sets the scope
    sizes = [len(DATASETS.build(cfg[key].dataset)) for key in ("train_dataloader", "val_dataloader")]
    assert sizes == [20_000, 10_000]
