# For trainings counted in epochs.
_base_ = "tiny-imagenet_bs128.py"
train_dataloader = dict(batch_size=64, sampler=dict(type="DefaultSampler"))
