# CIFAR-10 as folders of image files: data_root/train/CLASS/*.jpg and data_root/test/CLASS/*.jpg.
_base_ = "cifar10_bs128.py"
data_preprocessor = dict(to_rgb=True)
load = dict(
    type="Compose", transforms=[dict(type="LoadImageFromFile"), dict(type="lwdna_mm.CheckSize", key="img", exactly=32)]
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="CustomDataset",
        data_prefix="train",
        pipeline=[load, *_base_.train_dataloader.dataset.pipeline],
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type="CustomDataset",
        data_prefix="test",
        pipeline=[load, *_base_.val_dataloader.dataset.pipeline],
    )
)
test_dataloader = val_dataloader
