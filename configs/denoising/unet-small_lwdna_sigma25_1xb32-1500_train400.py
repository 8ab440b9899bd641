_base_ = ["unet-small_sigma25_1xb32-1500_train400.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
