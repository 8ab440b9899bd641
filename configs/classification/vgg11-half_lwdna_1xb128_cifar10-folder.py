_base_ = ["vgg11-half_1xb128_cifar10-folder.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
