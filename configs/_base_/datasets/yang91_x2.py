# Any folder of images, here data_root/yang91: their low-resolution images are made by MATLAB's bicubic and kept in
# memory. Patches of 24x24 low-resolution pixels.
train_pipeline = [
    dict(
        type="lwdna_mm.Cached",
        transforms=[
            dict(type="LoadImageFromFile", key="gt", color_type="color", channel_order="rgb"),
            dict(type="SetValues", dictionary=dict(scale=2)),
            dict(type="ModCrop", key="gt"),
            dict(type="lwdna_mm.BicubicDownsample"),
        ],
    ),
    dict(type="PairedRandomCrop", gt_patch_size=48),
    dict(type="Flip", keys=["img", "gt"], direction="horizontal"),
    dict(type="Flip", keys=["img", "gt"], direction="vertical"),
    dict(type="RandomTransposeHW", keys=["img", "gt"]),
    dict(type="PackInputs"),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(type="BasicImageDataset", data_prefix=dict(gt="yang91"), pipeline=train_pipeline),
)
input_shape = (3, 24, 24)
