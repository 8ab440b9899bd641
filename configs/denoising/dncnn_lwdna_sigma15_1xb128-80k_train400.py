_base_ = ["dncnn_sigma15_1xb128-80k_train400.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
