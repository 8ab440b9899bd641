"""Configs that cannot be read, and values in them that cannot be."""

import pytest

from tests.bad_input import CONFIGS, Bad, table, write

PLAIN = CONFIGS / "classification" / "resnet8_1xb32_digits.py"
TRAIN = "train {c}/classification/resnet8_1xb32_digits.py --cfg-options"
OTHER = CONFIGS / "classification" / "resnet20_1xb128_cifar10.py"


def config(text: str):
    return write("bad.py", text)


def derived(text: str):
    return write("bad.py", f"_base_ = {str(PLAIN)!r}\n{text}\n")


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tmp_path_factory.mktemp("good")


FILES = [
    Bad("none", "train none.py", ("none.py: no such config file",)),
    Bad("a folder", "train {c}/classification", ("classification: no such config file",)),
    Bad("another suffix", "train bad.txt", ("bad.txt: no config file, which ends in .py",), write("bad.txt", "a")),
    Bad("syntax", "train bad.py", ("bad.py: SyntaxError: '(' was never closed",), config("model = dict(\n")),
    Bad("a name", "test bad.py", ("line 2 of", "bad.py: NameError: name 'x' is not"), config("a = 1\nmodel = x\n")),
    Bad("an exception", "latency bad.py", ("bad.py: ZeroDivisionError",), config("model = 1 / 0\n")),
    Bad("no text", "train bad.py", ("bad.py: UnicodeDecodeError",), write("bad.py", b"\xff\xfe\x00")),
    Bad("no JSON", "train bad.json", ("bad.json: JSONDecodeError", "line 1"), write("bad.json", "{")),
    Bad("empty", "train bad.py", ("bad.py has no model, so there is nothing to train",), config("")),
    Bad("empty for a test", "test bad.py", ("bad.py has no model, so there is nothing to evaluate",), config("")),
    Bad("no base", "train bad.py", ("its base", "none.py does not exist", "relative"), config("_base_ = 'none.py'\n")),
    Bad("an undefined base", "train bad.py", ("bad.py: NameError: name 'base'",), config("_base_ = base\n")),
    Bad("an unknown package", "train bad.py", ("bad.py: ValueError", "package"), config("_base_ = 'none::a.py'\n")),
    Bad("no such key in the base", "train bad.py", ("line 2 of", "'lr'"), derived("lr = _base_.lr")),
    Bad(
        "bases that clash",
        "train bad.py",
        ("Duplicate key is not allowed among bases", "'model'"),
        config(f"_base_ = [{str(PLAIN)!r}, {str(OTHER)!r}]\n"),
    ),
    Bad(
        "a misspelt key", "train bad.py", ("'optim_wraper', did you mean 'optim_wrapper'",), config("optim_wraper = 1")
    ),
    Bad(
        "an import that fails",
        "train bad.py",
        ("custom_imports: Failed to import none_such; its folder must be on PYTHONPATH",),
        derived("custom_imports = dict(imports=['none_such'])"),
    ),
    Bad("a loader", "train bad.py", ("val_dataloader is 3, but must be a dict",), derived("val_dataloader = 3")),
    Bad(
        "a dict for a word",
        "train bad.py",
        ("model is 'net', but must be a dict with a type",),
        config("model = 'net'"),
    ),
    Bad(
        "a hook",
        "train bad.py",
        ("custom_hooks.0.type is 'LogerHook'", "did you mean 'LoggerHook'"),
        derived("custom_hooks = [dict(type='LogerHook')]"),
    ),
    Bad("a number for data", "train bad.py", ("data_root is 3, but must be a folder",), derived("data_root = 3")),
    Bad("hooks", "train bad.py", ("custom_hooks is {", "must be a list"), derived("custom_hooks = dict(type='A')")),
    Bad(
        "a learning rate to scale",
        "train bad.py --auto-scale-lr",
        ("--auto-scale-lr: the config has no auto_scale_lr.base_batch_size, such as",),
        derived("auto_scale_lr = None"),
    ),
]


def value(option: str, *wanted: str, full: bool = False) -> Bad:
    """A config that lacks nothing, but for one option."""
    return Bad(option, f"{TRAIN} {option}", wanted, full=full)


COUNT = "but must be a whole number, 1 or more"
VALUES = [
    value("train_cfg=3", "train_cfg is 3, but must be a dict"),
    value("train_cfg.max_epoch=2", "unknown key 'max_epoch', did you mean 'max_epochs'"),
    value("train_cfg.max_epochs=many", "train_cfg.max_epochs is 'many'", COUNT),
    value("train_cfg.max_epochs=0", "train_cfg.max_epochs is 0", COUNT),
    value("train_cfg.max_epochs=1.5", "train_cfg.max_epochs is 1.5", COUNT),
    value("train_cfg.val_interval=-1", "train_cfg.val_interval is -1", COUNT),
    value("train_dataloader.batch_size=0", "train_dataloader.batch_size is 0", COUNT),
    value("train_dataloader.num_workers=-1", "train_dataloader.num_workers is -1", "0 or more"),
    value("train_dataloader.dataset=None", "train_dataloader.dataset is missing: give a dict with a type"),
    value("val_dataloader.dataset.type=None", "val_dataloader.dataset is", "must be a dict with a type"),
    value("optim_wrapper=SGD", "optim_wrapper is 'SGD', but must be a dict"),
    value("optim_wrapper.optimizer.lr=fast", "optim_wrapper.optimizer.lr is 'fast', but must be a number"),
    value("optim_wrapper.optimizer.lr=-1", "optim_wrapper.optimizer.lr is -1", "0 or more"),
    value("optim_wrapper.accumulative_counts=0", "optim_wrapper.accumulative_counts is 0", COUNT),
    value("randomness.seed=x", "randomness.seed is 'x', but must be a whole number from 0 to 4294967295"),
    value("log_level=LOUD", "log_level is 'LOUD', but must be one of", "INFO"),
    value("default_scope=mmnone", "default_scope is 'mmnone'", "an installed package, such as mmpretrain"),
    value("skip_nonfinite=-1", "skip_nonfinite is -1, but must be a whole number of batches, 0 or more"),
    value("subset.images_per_class=0", "subset.images_per_class is 0, but must be a whole number above 0"),
    value("subset.share=2", "subset.share is 2, but must be above 0 and at most 1"),
    value("subset.sharing=1", "subset has no key 'sharing': did you mean 'share'"),
    value("subset.images_per_class=5000", "class 0 has 30 training images, but subset wants 5000", full=True),
    value("load_from=none.pth", "none.pth", full=True),
    value("optim_wrapper.optimizer.type=SDG", "optim_wrapper.optimizer.type is 'SDG'", "did you mean 'SGD'"),
    value("optim_wrapper.type=Wrapper", "optim_wrapper.type is 'Wrapper'", "did you mean"),
    value("param_scheduler.type=CosineLR", "param_scheduler.type is 'CosineLR'", "did you mean"),
    value("val_evaluator.type=Acuracy", "val_evaluator.type is 'Acuracy'", "did you mean 'Accuracy'"),
    value("default_hooks.logger.type=Logger", "default_hooks.logger.type is 'Logger'", "did you mean 'LoggerHook'"),
    value("model.type=ImageClasifier", "model.type is 'ImageClasifier'", "did you mean 'ImageClassifier'"),
    value("model.backbone.type=ResNt", "model.backbone.type is 'ResNt'", "did you mean 'ResNet'"),
    value("model.backbone.deep=20", "model.backbone (lwdna_mm.CifarResNet): no argument 'deep': did you mean 'depth'"),
    value("model.backbone.depth=21", "model.backbone (lwdna_mm.CifarResNet)", "invalid depth 21", full=True),
    value("model.head.in_channels=5", "does not run on inputs of shape", "cannot be multiplied", full=True),
    value("model.head.num_classes=5", "model.head.num_classes is 5, but the training set has 10 classes", full=True),
    value("train_dataloader.dataset.type=Digit", "train_dataloader.dataset.type is 'Digit'", "known are", full=True),
    value("train_dataloader.dataset.sze=9", "train_dataloader.dataset (lwdna_mm.Digits): no argument 'sze'", full=True),
    value("train_dataloader.dataset.pipeline.0.type=Crop2", "pipeline.0.type is 'Crop2'", "did you mean", full=True),
    value("param_scheduler.eta=1", "param_scheduler (CosineAnnealingLR)", "no argument 'eta'", full=True),
]


@table(*FILES)
def test_files(bad, refused):
    refused(bad)


@table(*VALUES)
def test_values(bad, refused):
    refused(bad)
