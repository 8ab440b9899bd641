# DIV2K in grey, data_root/DIV2K/DIV2K_train_HR: 128x128 patches, otherwise as in train400_sigma25.py.
_base_ = "train400_sigma25.py"
train_pipeline = _base_.train_pipeline
train_pipeline[0] = dict(
    type="Compose",
    transforms=[
        dict(type="LoadImageFromFile", key="gt", color_type="grayscale"),
        dict(type="lwdna_mm.CheckSize", key="gt", least=128),
    ],
)
train_pipeline[1].crop_size = (128, 128)
train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    dataset=dict(data_prefix=dict(gt="DIV2K/DIV2K_train_HR"), pipeline=train_pipeline),
)
input_shape = (1, 128, 128)
