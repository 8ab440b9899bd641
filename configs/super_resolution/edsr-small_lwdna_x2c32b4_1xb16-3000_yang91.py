_base_ = ["edsr-small_x2c32b4_1xb16-3000_yang91.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
