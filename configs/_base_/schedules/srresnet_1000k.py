# SRResNet's: Adam, 1e-4 throughout 1,000,000 iterations of 16 patches.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4, betas=(0.9, 0.999)))
train_cfg = dict(type="IterBasedTrainLoop", max_iters=1000000, val_interval=10000)
