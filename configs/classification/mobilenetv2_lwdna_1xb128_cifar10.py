_base_ = ["mobilenetv2_1xb128_cifar10.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
