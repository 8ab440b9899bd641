_base_ = [
    "../_base_/models/efficientnet-b0_cifar.py",
    "../_base_/datasets/cifar10_bs64.py",
    "../_base_/schedules/cifar_bs64_300e.py",
    "../_base_/default_runtime.py",
]
