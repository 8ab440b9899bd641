# Test sets of high-resolution images, data_root/{set5,set14,b100,urban100}; their low-resolution images are made by
# MATLAB's bicubic.
protocol = "PSNR and SSIM on Y of 8-bit images, 2 pixels cropped at each border"
data_root = "data/restoration"
sr_test_pipeline = [
    dict(type="LoadImageFromFile", key="gt", color_type="color", channel_order="rgb"),
    dict(type="SetValues", dictionary=dict(scale=2)),
    dict(type="ModCrop", key="gt"),
    dict(type="lwdna_mm.BicubicDownsample"),
    dict(type="lwdna_mm.CheckSize", key="gt", least=24),  # SSIM has a window
    dict(type="PackInputs"),
]
test_dataloader = [
    dict(
        num_workers=0,
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=dict(type="BasicImageDataset", data_prefix=dict(gt=name.lower()), pipeline=sr_test_pipeline),
    )
    for name in ("Set5", "Set14", "B100", "Urban100")
]
test_evaluator = [
    dict(
        type="Evaluator",
        metrics=[dict(type=metric, crop_border=2, convert_to="Y", prefix=name) for metric in ("PSNR", "SSIM")],
    )
    for name in ("Set5", "Set14", "B100", "Urban100")
]
val_dataloader = test_dataloader[:1]
val_evaluator = test_evaluator[:1]
custom_hooks = [
    dict(
        type="lwdna_mm.SaveCrops",
        crops={"set5-img_003": (100, 60), "set5-img_005": (10, 60), "set14-img_005": (60, 60)},
        crop_border=2,
        convert_to="Y",
    ),
    dict(type="lwdna_mm.ChannelsLastHook"),
]
