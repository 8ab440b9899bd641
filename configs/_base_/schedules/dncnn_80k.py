# DnCNN's length, 50 epochs of 1,600 batches of 128 patches: Adam, 1e-3, a tenth of it after 30 of the 50 epochs.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-3))
param_scheduler = dict(type="MultiStepLR", by_epoch=False, milestones=[48000], gamma=0.1)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=80000, val_interval=1600)
