import pytest
import torch
from mmengine.registry import DATASETS, init_default_scope

from lwdna_mm.engine import load_config, side_by_side
from lwdna_mm.engine.protocol import complete
from lwdna_mm.engine.side_by_side import load_images
from lwdna_mm.errors import UserError
from tests.digits_runs import CONFIGS


def test_the_plain_loop_holds_the_training_images():
    cfg = complete(load_config(CONFIGS / "resnet8_1xb32_digits.py", {"subset.images_per_class": 3}))
    init_default_scope("mmagic")  # of an earlier run in the process; its PackInputs is another
    images, labels = load_images(cfg)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert images.dtype == torch.uint8
    assert images.shape == (30, 1, 8, 8)
    infos = [dataset.get_data_info(i) for i in range(30)]
    assert all((image[0].numpy() == info["img"][..., 0]).all() for image, info in zip(images, infos, strict=True))
    assert labels.tolist() == [info["gt_label"] for info in infos]


def test_the_plain_loop_augments_as_the_config_says():
    cfg = complete(load_config(CONFIGS / "resnet8_1xb32_digits.py"))  # crops of 8 pixels, 1 pixel of padding
    torch.manual_seed(0)
    image = torch.arange(1, 65, dtype=torch.uint8).reshape(1, 1, 8, 8)
    augment = side_by_side._augmentation(cfg, image)
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1))[0, 0]
    expected = {padded[y : y + 8, x : x + 8].numpy().tobytes() for y in range(3) for x in range(3)}
    found = {one[0].numpy().tobytes() for one in augment(torch.zeros(500, dtype=torch.long))}
    assert found == expected


def test_unknown_augmentation_is_named():
    cfg = load_config(CONFIGS / "resnet8_1xb32_digits.py")
    cfg.train_dataloader.dataset.pipeline = [dict(type="ColorJitter")]
    with pytest.raises(UserError, match="the plain loop knows random crops and flips, not ColorJitter"):
        side_by_side._augmentation(cfg, torch.zeros(1, 1, 8, 8))
