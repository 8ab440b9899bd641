# A U-Net for a CPU: 16 to 128 channels, minutes on one core.
_base_ = [
    "../_base_/models/restoration_unet.py",
    "../_base_/datasets/train400_sigma25.py",
    "../_base_/datasets/denoise_tests_sigma25.py",
    "../_base_/schedules/restoration_small.py",
    "../_base_/restoration_runtime.py",
]
model = dict(generator=dict(mid_channels=16))
train_dataloader = dict(batch_size=32, num_workers=0)
