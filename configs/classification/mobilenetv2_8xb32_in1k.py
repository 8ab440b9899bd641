# The network, data and schedule that mmpretrain publishes under this name.
_base_ = "mmpretrain::mobilenet_v2/mobilenet-v2_8xb32_in1k.py"
input_shape = (3, 224, 224)
data_root = "data/imagenet"
train_dataloader = dict(dataset=dict(data_root=None))
val_dataloader = dict(dataset=dict(data_root=None))
test_dataloader = val_dataloader
