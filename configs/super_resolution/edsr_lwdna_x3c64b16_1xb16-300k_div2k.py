_base_ = ["edsr_x3c64b16_1xb16-300k_div2k.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
