_base_ = ["resnet8_1xb32_digits.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
