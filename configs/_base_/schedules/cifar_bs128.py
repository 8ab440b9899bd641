optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4))
# With no T_max and no end it spans the whole training, also where --cfg-options train_cfg.max_epochs=N shortens that.
param_scheduler = dict(type="CosineAnnealingLR", eta_min=0, by_epoch=True, convert_to_iter_based=True)
train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=128, enable=False)
# Only speed: on a CPU a training step of ResNet-20 takes about two thirds of the time.
custom_hooks = [dict(type="lwdna_mm.ChannelsLastHook")]
