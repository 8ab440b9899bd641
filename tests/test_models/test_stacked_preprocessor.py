import torch
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.structures import DataSample

from lwdna_mm.models.stacked_preprocessor import StackedPreprocessor


def test_the_result_is_mmpretrains_bit_for_bit():
    torch.manual_seed(0)
    options = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], num_classes=10)
    for to_rgb in (False, True):
        images = [torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8) for _ in range(4)]
        kept = [image.clone() for image in images]
        data = dict(inputs=images, data_samples=[DataSample().set_gt_label(i) for i in range(4)])
        ours = StackedPreprocessor(to_rgb=to_rgb, **options)(dict(data), training=True)
        theirs = ClsDataPreprocessor(to_rgb=to_rgb, **options)(dict(data), training=True)
        assert torch.equal(ours["inputs"], theirs["inputs"])
        assert [sample.gt_label.item() for sample in ours["data_samples"]] == [0, 1, 2, 3]
        assert all(map(torch.equal, images, kept))
    assert not StackedPreprocessor(**options).state_dict()
