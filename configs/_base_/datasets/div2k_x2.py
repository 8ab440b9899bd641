# DIV2K with its published bicubic images, data_root/DIV2K/DIV2K_train_{HR,LR_bicubic}; patches of 48x48
# low-resolution pixels, as in the EDSR paper.
train_pipeline = [
    dict(type="LoadImageFromFile", key="img", color_type="color", channel_order="rgb"),
    dict(type="LoadImageFromFile", key="gt", color_type="color", channel_order="rgb"),
    dict(type="SetValues", dictionary=dict(scale=2)),
    dict(type="PairedRandomCrop", gt_patch_size=96),
    dict(type="Flip", keys=["img", "gt"], direction="horizontal"),
    dict(type="Flip", keys=["img", "gt"], direction="vertical"),
    dict(type="RandomTransposeHW", keys=["img", "gt"]),
    dict(type="PackInputs"),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=8,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(
        type="BasicImageDataset",
        data_prefix=dict(img="DIV2K/DIV2K_train_LR_bicubic/X2", gt="DIV2K/DIV2K_train_HR"),
        filename_tmpl=dict(img="{}x2", gt="{}"),
        search_key="gt",
        pipeline=train_pipeline,
    ),
)
input_shape = (3, 48, 48)
