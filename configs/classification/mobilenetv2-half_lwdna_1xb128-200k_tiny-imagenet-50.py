_base_ = ["mobilenetv2-half_1xb128-200k_tiny-imagenet-50.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
