# DnCNN's training set, data_root/train400 (400 grey images of 180x180): 40x40 patches, fresh noise every time.
train_pipeline = [
    dict(
        type="lwdna_mm.Cached",
        transforms=[
            dict(type="LoadImageFromFile", key="gt", color_type="grayscale"),
            dict(type="lwdna_mm.CheckSize", key="gt", least=40),
        ],
    ),
    dict(type="Crop", keys=["gt"], crop_size=(40, 40)),
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
    batch_size=128,
    num_workers=4,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(type="BasicImageDataset", data_prefix=dict(gt="train400"), pipeline=train_pipeline),
)
input_shape = (1, 40, 40)
