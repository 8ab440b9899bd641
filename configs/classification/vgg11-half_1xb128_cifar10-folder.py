_base_ = [
    "../_base_/models/vgg11-half_cifar.py",
    "../_base_/datasets/cifar10-folder_bs128.py",
    "../_base_/schedules/cifar_bs128.py",
    "../_base_/default_runtime.py",
]
