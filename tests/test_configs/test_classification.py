"""Every classification config: what its network costs, and that its twin adds nothing but the lwdna section."""

import pytest
from mmengine.config import Config

from lwdna_mm.engine import load_config, parse_section
from lwdna_mm.engine.protocol import build_model
from lwdna_mm.models.trace import trace
from tests.digits_runs import CONFIGS

# Multiply-adds and parameters of one image.
GOLDEN = {
    "resnet8_1xb32_digits": (763_520, 77_754),
    "resnet20_1xb128_cifar10": (40_813_184, 272_474),
    "resnet20_1xb128_cifar10-folder": (40_813_184, 272_474),
    "resnet20_1xb128_cifar100": (40_818_944, 278_324),
    "resnet56_1xb128_cifar10": (125_747_840, 855_770),
    "resnet56_1xb128_cifar10-folder": (125_747_840, 855_770),
    "resnet56_1xb128_cifar100": (125_753_600, 861_620),
}


def twin_of(name: str) -> str:
    return name.replace("_1xb", "_lwdna_1xb")


def test_every_config_is_pinned():
    names = {path.stem for path in CONFIGS.glob("*.py") if "cifar" in path.stem or "digits" in path.stem}
    assert names == {*GOLDEN, *map(twin_of, GOLDEN)}


@pytest.mark.parametrize("name", GOLDEN)
def test_complexity(name):
    cfg = load_config(CONFIGS / f"{name}.py")
    graph = trace(build_model(cfg), dict(input_shape=[cfg.input_shape]))
    assert (graph.flops(), graph.params()) == GOLDEN[name]
    assert len(graph.notes) == 1  # the output of the network cannot change


@pytest.mark.parametrize("name", GOLDEN)
def test_twin_adds_only_the_section(name):
    baseline = Config.fromfile(CONFIGS / f"{name}.py").to_dict()
    twin = Config.fromfile(CONFIGS / f"{twin_of(name)}.py").to_dict()
    section = parse_section(twin.pop("lwdna"))
    assert twin == baseline
    assert section.input_shapes == (tuple(baseline["input_shape"]),)
    assert section.budget.flops == 1.0


def test_folder_data_is_found(shared_data):
    from mmengine.registry import DATASETS

    cfg = load_config(CONFIGS / "resnet20_1xb128_cifar10-folder.py", {"data_root": str(shared_data / "cifar10")})
    build_model(cfg)  # sets the scope
    sizes = [len(DATASETS.build(cfg[key].dataset)) for key in ("train_dataloader", "val_dataloader")]
    assert sizes == [20_000, 10_000]
