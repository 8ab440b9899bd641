# The network, data and schedule that mmpretrain publishes under this name.
_base_ = "mmpretrain::regnet/regnetx-4.0gf_8xb64_in1k.py"
input_shape = (3, 224, 224)
data_root = "data/imagenet"
train_dataloader = dict(dataset=dict(data_root=None))
val_dataloader = dict(dataset=dict(data_root=None))
test_dataloader = val_dataloader
# Residual branches do not begin at zero: that would hide what is inside them from the search.
model = dict(backbone=dict(zero_init_residual=False))
