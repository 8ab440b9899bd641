# SiamFC's schedule: SGD from 1e-2 to 1e-5 over 50 epochs, the same factor every epoch.
optim_wrapper = dict(optimizer=dict(type="SGD", lr=1e-2, momentum=0.9, weight_decay=5e-4))
param_scheduler = dict(type="ExponentialLR", gamma=1e-3 ** (1 / 49), by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=50, val_interval=5)
val_cfg = dict()
test_cfg = dict()
