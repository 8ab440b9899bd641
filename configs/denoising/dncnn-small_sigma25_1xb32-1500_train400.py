# A DnCNN for a CPU: 8 layers of 32 channels, minutes on one core.
_base_ = [
    "../_base_/models/dncnn.py",
    "../_base_/datasets/train400_sigma25.py",
    "../_base_/datasets/denoise_tests_sigma25.py",
    "../_base_/schedules/restoration_small.py",
    "../_base_/restoration_runtime.py",
]
model = dict(generator=dict(mid_channels=32, depth=8))
train_dataloader = dict(batch_size=32, num_workers=0)
