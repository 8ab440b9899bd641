_base_ = ["resnet56_1xb128-164e_cifar10.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
