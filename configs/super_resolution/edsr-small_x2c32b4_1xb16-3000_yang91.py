# An EDSR for a CPU: 4 blocks of 32 channels, minutes on one core.
_base_ = [
    "../_base_/models/edsr_x2.py",
    "../_base_/datasets/yang91_x2.py",
    "../_base_/datasets/sr_tests_x2.py",
    "../_base_/schedules/restoration_small.py",
    "../_base_/restoration_runtime.py",
]
model = dict(generator=dict(mid_channels=32, num_blocks=4))
train_cfg = dict(max_iters=3000, val_interval=1000)
test_dataloader = _base_.test_dataloader[:2]
test_evaluator = _base_.test_evaluator[:2]
