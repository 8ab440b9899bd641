# EDSR's: Adam, 1e-4, halved after 200,000 of 300,000 iterations of 16 patches.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4, betas=(0.9, 0.999)))
param_scheduler = dict(type="MultiStepLR", by_epoch=False, milestones=[200000], gamma=0.5)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=300000, val_interval=5000)
