_base_ = ["regnetx-4.0gf_8xb64_in1k.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
