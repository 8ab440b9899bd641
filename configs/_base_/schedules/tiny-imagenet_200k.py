# 200,000 images in batches of 128, however many different ones there are. For MobileNetV1 at half width with --amp an
# image is some 1.5 ms of one core: python tools/benchmark.py train CONFIG --amp --threads 1 measures it.
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4))
# With no T_max and no end it spans the whole training, also where --cfg-options train_cfg.max_iters=N shortens that.
param_scheduler = dict(type="CosineAnnealingLR", eta_min=0, by_epoch=False)
train_cfg = dict(by_epoch=False, max_iters=1563, val_interval=10**9)  # mmengine validates after the last one too
val_cfg = dict()
test_cfg = dict()
custom_hooks = [dict(type="lwdna_mm.ChannelsLastHook")]
