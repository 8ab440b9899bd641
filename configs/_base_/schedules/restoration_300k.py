# Adam, 1e-4, halved after 100,000 and 200,000 of 300,000 iterations.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4))
param_scheduler = dict(type="MultiStepLR", by_epoch=False, milestones=[100000, 200000], gamma=0.5)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=300000, val_interval=5000)
