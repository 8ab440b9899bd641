from argparse import Namespace
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.optim import OptimWrapper

from lwdna_mm.engine.arguments import apply_arguments
from lwdna_mm.engine.config import DATALOADERS, check_data, load_config
from lwdna_mm.errors import UserError

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

CONFIG = """
data_root = "data/here"
model = dict(type="ImageClassifier", backbone=dict(depth=20))
train_cfg = dict(by_epoch=True, max_epochs=3)
train_dataloader = dict(
    batch_size=4, dataset=dict(type="RepeatDataset", times=2, dataset=dict(type="CustomDataset", data_prefix="train"))
)
val_dataloader = dict(dataset=dict(type="CustomDataset", data_root=None))
test_dataloader = [dict(dataset=dict(type="CustomDataset", data_root="elsewhere"))]
my_variable = 3
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(CONFIG)
    return path


def test_options_are_applied(config):
    options = {"train_cfg.max_epochs": 1, "train_dataloader.num_workers": 2, "randomness": dict(seed=1)}
    cfg = load_config(config, options)
    assert (cfg.train_cfg.max_epochs, cfg.train_dataloader.num_workers, cfg.randomness.seed) == (1, 2, 1)


def test_options_hold_in_any_order(config):
    options = {"model.backbone.depth": 8, "model": dict(neck=None, backbone=dict(depth=14, width=2))}
    for given in (options, dict(reversed(options.items()))):
        model = load_config(config, given).model
        assert (model.backbone, model.neck) == (dict(depth=8, width=2), None)
    assert options["model"]["backbone"] == dict(depth=14, width=2)


def test_data_root_reaches_the_datasets_that_name_none(config):
    cfg = load_config(config, {"data_root": "data/there"})
    assert cfg.train_dataloader.dataset.dataset.data_root == "data/there"
    assert cfg.val_dataloader.dataset.data_root == "data/there"
    assert cfg.test_dataloader[0].dataset.data_root == "elsewhere"
    assert "data_root" not in cfg.train_dataloader.dataset


def test_configs_of_this_package_can_be_inherited_from_anywhere(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        '_base_ = ["lwdna_mm::classification/resnet20_1xb128_cifar10.py"]\ntrain_cfg = dict(max_epochs=2)\n'
    )
    cfg = load_config(path)
    assert (cfg.model.backbone.depth, cfg.train_cfg.max_epochs) == (20, 2)


@pytest.mark.parametrize(
    "name",
    [
        "classification/resnet50_8xb32_in1k.py",
        "classification/resnet8_lwdna_1xb32_digits.py",
        "denoising/dncnn-small_sigma25_1xb32-1500_train400.py",
        "tracking/siamrpn_alexnet_1xb8-50e_got10k.py",
        "_base_/paper_public_code.py",
    ],
)
def test_an_inherited_config_is_the_config(tmp_path, name):
    """Without the package's scope, in which neither mmpretrain's types nor criteria would be found."""
    path = tmp_path / "mine.py"
    path.write_text(f'_base_ = ["lwdna_mm::{name}"]\n')
    assert load_config(path).to_dict() == load_config(Path(CONFIGS, name)).to_dict()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("train_cgf.max_epochs", "no 'train_cgf'; did you mean 'train_cfg'"),
        ("model.backbnoe.depth", "no 'model.backbnoe'; did you mean 'backbone'"),
        ("train_cfg.max_epoch", "unknown key 'max_epoch', did you mean 'max_epochs'"),
        ("modle", "unknown key; did you mean 'model'"),
        ("test_dataloader.3.batch_size", "no 'test_dataloader.3'"),
    ],
)
def test_misspelt_options_are_named(config, key, message):
    with pytest.raises(UserError, match=message):
        load_config(config, {key: 1})


def test_misspelt_key_in_the_file(config):
    config.write_text(CONFIG + "\noptim_wraper = dict()\n")
    with pytest.raises(UserError, match="'optim_wraper', did you mean 'optim_wrapper'"):
        load_config(config)


def test_missing_data_is_named(config, tmp_path):
    cfg = load_config(config, {"data_root": str(tmp_path)})
    with pytest.raises(UserError, match=rf"train_dataloader: {tmp_path}/train does not exist.*data_root=PATH"):
        check_data(cfg, DATALOADERS)
    (tmp_path / "train").mkdir()
    with pytest.raises(UserError, match=rf"train_dataloader: the folder {tmp_path}/train is empty"):
        check_data(cfg, ["train_dataloader"])
    for name in ("cat", "dog"):
        (tmp_path / "train" / name).mkdir()
        (tmp_path / "train" / name / "image.png").touch()
    check_data(cfg, ["train_dataloader"])  # data that is not used need not be there
    with pytest.raises(UserError, match=r"elsewhere does not exist.*test_dataloader\.dataset\.data_root"):
        check_data(cfg, DATALOADERS)
    cfg.test_dataloader[0].dataset.download = True
    cfg.val_dataloader = None
    check_data(cfg, DATALOADERS)


def test_a_section_that_is_taken_out_leaves_what_it_says_of_the_inputs(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CONFIG + "lwdna = dict(input_shape=(1, 8, 8), amortized=[0])\n")
    cfg = load_config(path, {"lwdna": None})
    assert (cfg.lwdna, tuple(cfg.input_shape), cfg.amortized) == (None, (1, 8, 8), [0])
    assert "input_shape" not in load_config(path)


def test_a_criterion_or_gate_of_another_type_takes_the_place_of_the_configs(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        CONFIG + "tilt = dict(type='TiltCriterion', tilt=-1.0)\n"
        "lwdna = dict(input_shape=(1, 8, 8), shrink=dict(criterion=tilt, gate=dict(type='LatentHypernet', hidden=4)))\n"
    )
    changed = {"lwdna.shrink.criterion": dict(type="UniformCriterion"), "lwdna.shrink.gate": dict(type="PlainGates")}
    shrink = load_config(path, changed).lwdna.shrink
    assert (shrink.criterion, shrink.gate) == (dict(type="UniformCriterion"), dict(type="PlainGates"))
    for given in (dict(tilt=0.5), dict(type="TiltCriterion", tilt=0.5)):  # as everywhere in a config
        shrink = load_config(path, {"lwdna.shrink.criterion": given}).lwdna.shrink
        assert shrink.criterion == dict(type="TiltCriterion", tilt=0.5)
    seeded = {"lwdna.shrink.criterion.seed": 3, "lwdna.shrink.criterion": dict(type="RandomCriterion")}
    assert load_config(path, seeded).lwdna.shrink.criterion == dict(type="RandomCriterion", seed=3)
    preset = {"lwdna.shrink.iters": 4, "lwdna": dict(preset="paper")}
    assert load_config(path, preset).lwdna.shrink.iters == 4


def test_options_that_a_section_cannot_take_are_named(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CONFIG + "lwdna = dict(input_shape=(1, 8, 8))\n")
    with pytest.raises(UserError, match=r"lwdna is None, so there is no 'lwdna.widen': give one of them"):
        load_config(path, {"lwdna": None, "lwdna.widen": 3})
    with pytest.raises(UserError, match=r"lwdna.preset is \['paper'\], but must be one of paper, start"):
        load_config(path, {"lwdna.preset": ["paper"]})
    with pytest.raises(UserError, match=r"lwdna is 5, so there is no 'lwdna.shrink.criterion'"):
        load_config(path, {"lwdna": 5, "lwdna.shrink.criterion": dict(type="UniformCriterion")})


@pytest.mark.parametrize("kind", [OptimWrapper, "OptimWrapper", "mmengine.optim.OptimWrapper"])
def test_mixed_precision_of_a_plain_wrapper_however_it_is_named(kind):
    cfg = Config(dict(optim_wrapper=dict(type=kind)))
    apply_arguments(cfg, Namespace(amp=True))
    assert cfg.optim_wrapper.type.rpartition(".")[2] in ("AmpOptimWrapper", "CpuAmpOptimWrapper")
