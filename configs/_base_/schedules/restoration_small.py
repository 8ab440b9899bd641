# Minutes on a CPU: Adam, a cosine from 1e-3 to 1e-6 over the whole training.
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-3))
param_scheduler = dict(type="CosineAnnealingLR", by_epoch=False, eta_min=1e-6)
train_cfg = dict(type="IterBasedTrainLoop", max_iters=1500, val_interval=500)
