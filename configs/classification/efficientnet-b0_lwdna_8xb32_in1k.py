_base_ = ["efficientnet-b0_8xb32_in1k.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
