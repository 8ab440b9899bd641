"""The search by measured losses, on real trainings and on a network whose answer is known."""

import json

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.model import BaseModel
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import init_default_scope
from torch import nn

from lwdna_mm.engine import load_config, run, shrink
from lwdna_mm.engine.protocol import complete
from lwdna_mm.engine.subset import hold_out
from lwdna_mm.errors import UserError
from lwdna_mm.registry import DATASETS, MODELS
from lwdna_mm.runs.checkpoint_file import load_checkpoint_file
from tests.digits_runs import CONFIGS, tiny_config
from tests.restoration_runs import SR, write_images
from tests.restoration_runs import tiny_config as restoration_config
from tests.tracking_data import make_otb

RESPONSE = dict(type="ResponseCriterion", points=3, rounds=2)


def digits_config(work_dir, **options) -> Config:
    given = dict(lwdna__shrink__criterion=RESPONSE, lwdna__shrink__warmup_iters=3, lwdna__shrink__iters=1)
    return tiny_config(work_dir, **{**given, **options})


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The work_dir of a run of one epoch, and its summary."""
    work_dir = tmp_path_factory.mktemp("response")
    return work_dir, run(digits_config(work_dir, train_cfg__max_epochs=1))


def test_curves_lie_beside_the_plan(finished):
    work_dir, summary = finished
    plan = json.loads((work_dir / "plan.json").read_text())
    found = json.loads((work_dir / "plan.response.json").read_text())
    assert plan["policy"] == "density"
    assert plan["flops"] <= plan["baseline"]["flops"]
    first, second = found["rounds"]
    assert first["reference"] == plan["baseline"]["widths"] != second["reference"]
    for name, group in second["groups"].items():
        assert len(group["widths"]) == len(group["losses"]) == len(group["hull"]) <= 4
        assert second["reference"][name] in group["widths"]
        assert group["losses"][group["widths"].index(second["reference"][name])] == second["loss"]
        assert all(low <= high + 1e-12 for low, high in zip(group["hull"], group["losses"], strict=True))
        assert group["flops"] > 0
    measured = sum(1 + sum(len(g["widths"]) - 1 for g in one["groups"].values()) for one in (first, second))
    assert summary["search"]["samples"] == 3 * 16 + round(measured * found["samples"] / 3)


def test_the_same_again_and_another_seed(finished, tmp_path):
    for name in ("plan.json", "plan.response.json"):
        (tmp_path / name).write_bytes(b"")
    shrink(digits_config(tmp_path), tmp_path / "plan.json")
    for name in ("plan.json", "plan.response.json"):
        assert (tmp_path / name).read_bytes() == (finished[0] / name).read_bytes()
    other = digits_config(tmp_path)
    other.randomness.seed = 1
    shrink(other, tmp_path / "other.json")
    assert (tmp_path / "other.response.json").read_bytes() != (tmp_path / "plan.response.json").read_bytes()


def test_the_start_is_that_of_every_other_arm(finished, tmp_path):
    (tmp_path / "even.response.json").write_text("of another search")
    shrink(tiny_config(tmp_path, lwdna__shrink__criterion=dict(type="UniformCriterion")), tmp_path / "even.json")
    assert not (tmp_path / "even.response.json").exists()
    ours = load_checkpoint_file(finished[0] / "plan.pth")["state_dict"]
    even = load_checkpoint_file(tmp_path / "even.pth")["state_dict"]
    assert list(ours) == list(even)
    # Running statistics are not trained by; those of other arms have seen the mini-batches of their search.
    for name, value in ours.items():
        if name.endswith(("running_mean", "running_var", "num_batches_tracked")):
            continue
        both = tuple(slice(min(pair)) for pair in zip(value.shape, even[name].shape, strict=True))
        assert torch.equal(value[both], even[name][both])


def test_held_out_images_are_not_trained_on():
    cfg = complete(load_config(CONFIGS / "resnet8_1xb32_digits.py", {"subset.images_per_class": 8}))
    init_default_scope(cfg.default_scope)
    whole = cfg.train_dataloader.dataset
    parts = [{image["img"].tobytes() for image in built(one)} for one in (whole, *hold_out(whole, 0.25))]
    assert [len(part) for part in parts] == [80, 60, 20]
    assert parts[0] == parts[1] | parts[2]
    other = {image["img"].tobytes() for image in built(hold_out(whole, 0.25, seed=1)[1])}
    assert len(other) == 20
    assert other != parts[2]


def test_the_search_has_batches_of_its_own_size(tmp_path):
    cfg = digits_config(tmp_path, lwdna__shrink__batch_ratio=0.5)
    shrink(cfg, tmp_path / "plan.json")
    found = json.loads((tmp_path / "plan.response.json").read_text())
    assert found["samples"] == cfg.train_dataloader.batch_size / 2


def built(dataset: dict) -> list[dict]:
    made = MMENGINE_DATASETS.build(dataset)
    return [made.get_data_info(index) for index in range(len(made))]


def test_what_cannot_be_measured_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"give lwdna\.shrink\.warmup_iters, such as 200"):
        shrink(digits_config(tmp_path, lwdna__shrink__warmup_iters=0), tmp_path / "plan.json")
    few = digits_config(tmp_path, train_dataloader__dataset__train_size=20)
    with pytest.raises(UserError, match=r"criterion\.held_out: select\.share=0\.25: class \d has \d training images"):
        shrink(few, tmp_path / "plan.json")
    wild = digits_config(tmp_path, optim_wrapper__optimizer__lr=1e9)
    with pytest.raises(UserError, match=r"search, iteration \d+: .* not finite|search, iteration \d+: the loss is"):
        shrink(wild, tmp_path / "plan.json")
    assert not list(tmp_path.glob("plan*"))


def test_super_resolution(tmp_path):
    pytest.importorskip("mmagic")
    options = dict(lwdna__shrink__criterion={**RESPONSE, "held_out": 0.4}, lwdna__shrink__warmup_iters=2)
    data = write_images(tmp_path / "data")
    plan = shrink(restoration_config(SR, data, tmp_path, lwdna=True, **options), tmp_path / "plan.json")
    assert plan.meta["flops"] <= plan.meta["baseline"]["flops"]
    # One image is held out, and its sampler never ends: two batches of four patches.
    assert json.loads((tmp_path / "plan.response.json").read_text())["samples"] == 2 * 4


def test_tracking(tmp_path):
    make_otb(tmp_path, "DragonBaby")
    options = {
        "data_root": str(tmp_path),
        "lwdna.shrink.criterion": RESPONSE,
        "lwdna.shrink.warmup_iters": 2,
        "lwdna.shrink.iters": 1,
        "train_dataloader.batch_size": 2,
        "model.backbone.channels": (4, 4, 4, 4, 4),
    }
    cfg = load_config(CONFIGS.parent / "tracking" / "siamfc_alexnet-half_lwdna_1xb8-200_dragonbaby.py", options)
    cfg.work_dir = str(tmp_path / "run")
    plan = shrink(cfg, tmp_path / "plan.json")
    assert plan.meta["flops"] <= plan.meta["baseline"]["flops"]


@DATASETS.register_module()
class LinearPairs(BaseDataset):
    """Random vectors and what two fixed linear maps make of them: one of rank 1, one of full rank."""

    def load_data_list(self) -> list[dict]:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(512, 8, generator=generator)
        one = torch.randn(8, 1, generator=generator) @ torch.randn(1, 8, generator=generator) / 3
        full = torch.linalg.qr(torch.randn(8, 8, generator=generator))[0]
        y = torch.cat([x @ one, x @ full], 1)
        return [dict(inputs=a.view(8, 1, 1), targets=b.view(16, 1, 1)) for a, b in zip(x, y, strict=True)]


@MODELS.register_module()
class TwoBottlenecks(BaseModel):
    """Two branches through bottlenecks of six channels each."""

    def __init__(self, data_preprocessor=None) -> None:
        super().__init__(data_preprocessor=data_preprocessor)
        self.simple, self.simple_out = nn.Conv2d(8, 6, 1, bias=False), nn.Conv2d(6, 8, 1, bias=False)
        self.rich, self.rich_out = nn.Conv2d(8, 6, 1, bias=False), nn.Conv2d(6, 8, 1, bias=False)

    def forward(self, inputs, targets=None, sample_idx=None, mode="tensor"):
        out = torch.cat([self.simple_out(self.simple(inputs)), self.rich_out(self.rich(inputs))], 1)
        return dict(loss=F.mse_loss(out, targets)) if mode == "loss" else out


def test_channels_that_are_of_no_use_go(tmp_path):
    section = dict(
        input_shape=(8, 1, 1),
        budget=dict(flops=0.75),
        shrink=dict(
            criterion=dict(type="ResponseCriterion", points=6), warmup_iters=150, iters=2, min_ratio=0.05, divisor=1
        ),
    )
    cfg = Config(
        dict(
            model=dict(type="lwdna_mm.TwoBottlenecks"),
            train_dataloader=dict(
                batch_size=64,
                dataset=dict(type="lwdna_mm.LinearPairs"),
                sampler=dict(type="DefaultSampler", shuffle=True),
                collate_fn=dict(type="default_collate"),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=1),
            optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.02)),
            lwdna=section,
            work_dir=str(tmp_path),
        )
    )
    plan = shrink(cfg, tmp_path / "plan.json")
    # Nine channels can be had. One carries all that the first branch is to learn; eight are what the second needs.
    assert plan.widths["simple"] <= 2
    assert plan.widths["rich"] >= 7
    log = next(tmp_path.glob("search/*/*.log")).read_text()
    assert "response, round 2 of 2: about" in log
    assert "group 1 of 2, simple: loss 0." in log
    found = json.loads((tmp_path / "plan.response.json").read_text())["rounds"][-1]["groups"]
    saved = {name: group["hull"][0] - group["hull"][-1] for name, group in found.items()}
    assert saved["rich"] > 10 * saved["simple"] >= 0
