# Grey test sets, data_root/{set12,bsd68}, with fixed noise: it depends on the file's name and the seed alone.
protocol = "PSNR and SSIM of 8-bit grey images, no border cropped; fixed noise of sigma 25, not clipped"
data_root = "data/restoration"
denoise_test_pipeline = [
    dict(type="LoadImageFromFile", key="gt", color_type="grayscale"),
    dict(type="lwdna_mm.SeededNoise", sigma=25, seed=0),
    dict(type="lwdna_mm.CheckSize", key="gt", least=16),  # SSIM has a window
    dict(type="PackInputs"),
]
test_dataloader = [
    dict(
        num_workers=0,
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=dict(type="BasicImageDataset", data_prefix=dict(gt=name.lower()), pipeline=denoise_test_pipeline),
    )
    for name in ("Set12", "BSD68")
]
test_evaluator = [
    dict(type="Evaluator", metrics=[dict(type=metric, prefix=name) for metric in ("PSNR", "SSIM")])
    for name in ("Set12", "BSD68")
]
val_dataloader = test_dataloader[:1]
val_evaluator = test_evaluator[:1]
custom_hooks = [
    dict(type="lwdna_mm.SaveCrops", crops={"set12-01": (60, 90), "set12-08": (220, 220), "set12-09": (120, 300)}),
    dict(type="lwdna_mm.ChannelsLastHook"),
]
