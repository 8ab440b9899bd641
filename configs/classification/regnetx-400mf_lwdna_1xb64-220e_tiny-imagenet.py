_base_ = ["regnetx-400mf_1xb64-220e_tiny-imagenet.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
