_base_ = [
    "../_base_/models/resnet8_cifar.py",
    "../_base_/datasets/digits_bs32.py",
    "../_base_/schedules/digits_bs32.py",
    "../_base_/default_runtime.py",
]

model = dict(backbone=dict(in_channels=1))
