import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, HOOKS, init_default_scope

from lwdna_mm.engine import load_config, run, shrink
from lwdna_mm.engine.protocol import complete
from lwdna_mm.errors import UserError
from tests.digits_runs import CONFIGS, tiny_config
from tests.restoration_runs import DENOISING, SR, write_images
from tests.restoration_runs import tiny_config as restoration_config
from tests.tracking_data import make_otb

DIGITS = CONFIGS / "resnet8_1xb32_digits.py"
SEEN: dict[str, set[bytes]] = {}


@HOOKS.register_module(force=True)
class SeeHook(Hook):
    """Notes the images that the train and validation loops are given."""

    def before_train(self, runner) -> None:
        SEEN["train"] = digits(runner.train_dataloader.dataset)

    def before_val(self, runner) -> None:
        SEEN["val"] = digits(runner.val_dataloader.dataset)


def digits(dataset) -> set[bytes]:
    return {dataset.get_data_info(i)["img"].tobytes() for i in range(len(dataset))}


def completed(options: dict, path=DIGITS) -> Config:
    cfg = complete(load_config(path, options))
    init_default_scope(cfg.default_scope)
    return cfg


def sizes(cfg: Config) -> list[int]:
    return [len(DATASETS.build(cfg[key].dataset)) for key in ("train_dataloader", "val_dataloader")]


def test_options_work_on_a_config_without_the_sections():
    assert sizes(completed({"subset.images_per_class": 5})) == [50, 1497]
    assert sizes(completed({"subset.images_per_class": 5, "select.images_per_class": 3})) == [50, 30]
    assert sizes(completed({"select.images_per_class": 3})) == [270, 30]
    assert sizes(completed({"subset": None, "select.share": 0.1})) == [270, 30]
    assert sizes(completed({})) == [300, 1497]


def test_options_change_a_section_in_the_file(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(f"_base_ = [{str(DIGITS)!r}]\nsubset = dict(images_per_class=7, seed=1)\n")
    assert sizes(completed({}, path)) == [70, 1497]
    cfg = completed({"subset.images_per_class": 4}, path)
    assert sizes(cfg) == [40, 1497]
    assert cfg.train_dataloader.dataset.seed == 1
    assert sizes(completed({"subset": None}, path)) == [300, 1497]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subset.image_per_class": 5}, "subset has no key 'image_per_class': did you mean 'images_per_class'"),
        ({"subset.images_per_class": 5, "subset.share": 0.5}, "subset: give either images_per_class or share"),
        ({"subset.seed": 5}, "subset: give images_per_class or share"),
        ({"select.seed": 5}, "select has no key 'seed'"),
        ({"subset": 5}, r"subset is 5, but must be a dict such as dict\(images_per_class=50\)"),
        ({"subset.images_per_class": 0}, "subset.images_per_class is 0, but must be a whole number above 0"),
        ({"select.share": 1.5}, "select.share is 1.5, but must be above 0 and at most 1"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(UserError, match=message):
        completed(options)


def test_wrapped_training_sets_are_reached(tmp_path):
    path = tmp_path / "config.py"
    path.write_text(
        f"""_base_ = [{str(DIGITS)!r}]
digits = _base_.train_dataloader.dataset
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="RepeatDataset",
        times=3,
        dataset=dict(type="ConcatDataset", datasets=[digits, dict(digits, train_size=400)]),
    )
)
"""
    )
    cfg = completed({"subset.images_per_class": 2, "select.images_per_class": 4}, path)
    assert sizes(cfg) == [3 * 2 * 20, 2 * 40]


def test_validation_takes_the_validation_pipeline_and_never_the_test_images():
    cfg = completed({"subset.images_per_class": 5, "select.images_per_class": 3})
    inner = cfg.val_dataloader.dataset.dataset
    assert inner.split == "train"
    assert inner.pipeline == cfg.test_dataloader.dataset.pipeline != cfg.train_dataloader.dataset.dataset.pipeline
    assert cfg.test_dataloader.dataset.split == "test"
    assert cfg.val_dataloader.batch_size == cfg.test_dataloader.batch_size


def test_baseline_twin_and_the_config_that_a_run_leaves_see_the_same_images(tmp_path):
    options = {"subset.images_per_class": 4, "select.images_per_class": 2, "custom_hooks": [dict(type="SeeHook")]}
    options = {key.replace(".", "__"): value for key, value in options.items()}
    options |= dict(train_dataloader__dataset__train_size=64, train_cfg__max_epochs=1)
    seen = []
    for lwdna in (False, True):
        run(tiny_config(tmp_path / str(lwdna), lwdna=lwdna, **options))
        seen.append(dict(SEEN))
    name = "resnet8_lwdna_1xb32_digits.py"
    run(load_config(tmp_path / "True" / name, {"work_dir": str(tmp_path / "again")}))
    seen.append(dict(SEEN))
    assert [len(seen[0][key]) for key in ("train", "val")] == [40, 20]
    assert seen[0] == seen[1] == seen[2]
    assert not seen[0]["train"] & seen[0]["val"]


def test_the_search_is_given_the_subset(tmp_path):
    cfg = tiny_config(tmp_path, subset__images_per_class=3, select__images_per_class=5)
    with pytest.raises(UserError, match=r"class \d has 6 training images, but subset wants 3 and select 5"):
        shrink(cfg, tmp_path / "plan.json")


def test_of_tracking_pairs_the_last_frames_are_held_out_and_tracked(tmp_path):
    make_otb(tmp_path, "DragonBaby", 10)
    make_otb(tmp_path, "Crossing", 10)
    config = CONFIGS.parent / "tracking" / "siamfc_alexnet-half_1xb8-200_dragonbaby.py"
    cfg = completed({"data_root": str(tmp_path), "select.share": 0.3}, config)
    pairs, held_out = (DATASETS.build(cfg[key].dataset) for key in ("train_dataloader", "val_dataloader"))
    whole = DATASETS.build(cfg.train_dataloader.dataset | dict(frames=(0.0, 1.0))).tracks[0]
    seen = [frame for frame, visible in zip(pairs.tracks[0].frames, pairs.tracks[0].visible, strict=True) if visible]
    (track,) = held_out.tracks
    assert track.name == "DragonBaby"
    assert seen + list(track.frames) == list(whole.frames)
    assert len(track.frames) == 3
    assert (track.boxes == whole.boxes[7:]).all()
    for options, message in (
        ({"select.images_per_class": 3}, "tracking pairs have no classes; give select.share"),
        ({"subset.share": 0.5}, "tracking pairs have no list of images to take a part of; name fewer sequences"),
    ):
        with pytest.raises(UserError, match=message):
            completed({"data_root": str(tmp_path), **options}, config)


@pytest.mark.parametrize("task", [pytest.param(SR, marks=pytest.mark.full), DENOISING])
def test_restoration_selects_on_whole_training_images(task, tmp_path):
    root = write_images(tmp_path / "data")
    options = dict(subset__share=0.67, select__share=0.34, train_cfg__max_iters=2)
    summary = run(restoration_config(task, root, tmp_path / "work", **options))
    names = list(summary["metrics"]["last"])
    assert names
    assert all(name.startswith("select/") for name in names)


def test_what_watches_a_metric_watches_it_on_the_held_out_images(tmp_path):
    root = write_images(tmp_path / "data")
    plateau = dict(type="ReduceOnPlateauLR", monitor="Set12/PSNR", rule="greater")
    cfg = restoration_config(
        DENOISING,
        root,
        tmp_path / "work",
        subset__share=0.67,
        select__share=0.34,
        train_cfg__max_iters=2,
        default_hooks__checkpoint__save_best=["Set12/PSNR", "Set12/SSIM"],
        default_hooks__checkpoint__rule="greater",
        param_scheduler=[plateau],
    )
    run(cfg)
    assert cfg.param_scheduler == [dict(plateau, monitor="select/PSNR")]
    assert len(list((tmp_path / "work").glob("best_select_*.pth"))) == 2
