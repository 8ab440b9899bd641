# In colour, tested on data_root/cbsd68: PSNR and SSIM over the three channels.
_base_ = [
    "../_base_/models/restoration_unet.py",
    "../_base_/datasets/div2k_sigma25.py",
    "../_base_/datasets/denoise_tests_sigma25.py",
    "../_base_/schedules/restoration_300k.py",
    "../_base_/restoration_runtime.py",
]
protocol = "PSNR and SSIM over R, G and B of 8-bit images, no border cropped; fixed noise of sigma 25, not clipped"
model = dict(
    generator=dict(channels=3), data_preprocessor=dict(mean=[0, 0, 0], std=[255, 255, 255], output_channel_order="RGB")
)
load = dict(type="LoadImageFromFile", key="gt", color_type="color", channel_order="rgb")
load_large = dict(type="Compose", transforms=[load, dict(type="lwdna_mm.CheckSize", key="gt", least=128)])
train_dataloader = dict(dataset=dict(pipeline=[load_large, *_base_.train_pipeline[1:]]))
input_shape = (3, 128, 128)
test_dataloader = [
    dict(
        _base_.test_dataloader[0],
        dataset=dict(
            type="BasicImageDataset",
            data_prefix=dict(gt="cbsd68"),
            pipeline=[load, *_base_.denoise_test_pipeline[1:]],
        ),
    )
]
test_evaluator = [dict(type="Evaluator", metrics=[dict(type=metric, prefix="CBSD68") for metric in ("PSNR", "SSIM")])]
val_dataloader = test_dataloader
val_evaluator = test_evaluator
