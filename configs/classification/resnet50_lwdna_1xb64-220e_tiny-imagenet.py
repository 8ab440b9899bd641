_base_ = ["resnet50_1xb64-220e_tiny-imagenet.py", "../_base_/lwdna.py"]
lwdna = dict(input_shape=_base_.input_shape)
