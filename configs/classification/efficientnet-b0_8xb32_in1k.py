# The network, data and schedule that mmpretrain publishes under this name; its own weights of this network were
# converted from TensorFlow's.
_base_ = "mmpretrain::efficientnet/efficientnet-b0_8xb32_in1k.py"
input_shape = (3, 224, 224)
data_root = "data/imagenet"
train_dataloader = dict(dataset=dict(data_root=None))
val_dataloader = dict(dataset=dict(data_root=None))
test_dataloader = val_dataloader
