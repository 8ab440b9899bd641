# DIV2K in grey, data_root/DIV2K/DIV2K_train_HR: 128x128 patches, fresh noise every time.
train_pipeline = [
    dict(type="LoadImageFromFile", key="gt", color_type="grayscale"),
    dict(type="Crop", keys=["gt"], crop_size=(128, 128)),
    dict(type="Flip", keys=["gt"], direction="horizontal"),
    dict(type="Flip", keys=["gt"], direction="vertical"),
    dict(type="RandomTransposeHW", keys=["gt"]),
    dict(
        type="CopyValues",
        src_keys=["gt", "gt_channel_order", "gt_color_type"],
        dst_keys=["img", "img_channel_order", "img_color_type"],
    ),
    dict(
        type="RandomNoise",
        keys=["img"],
        params=dict(noise_type=["gaussian"], noise_prob=[1], gaussian_sigma=[25, 25], gaussian_gray_noise_prob=0),
    ),
    dict(type="PackInputs"),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(type="BasicImageDataset", data_prefix=dict(gt="DIV2K/DIV2K_train_HR"), pipeline=train_pipeline),
)
input_shape = (1, 128, 128)
