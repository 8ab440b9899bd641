_base_ = ["unet-color_sigma25_1xb16-300k_div2k.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
