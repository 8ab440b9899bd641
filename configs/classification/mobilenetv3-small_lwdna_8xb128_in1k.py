_base_ = ["mobilenetv3-small_8xb128_in1k.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
