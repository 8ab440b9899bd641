_base_ = ["densenet40_1xb64-300e_cifar100.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
