# As the LW-DNA authors' public code for DHP (github.com/ofsoundof/dhp, classification/scripts) trains a network on
# Tiny-ImageNet: 220 epochs of batches of 64, the learning rate divided by 10 at 200, 205, 210 and 215.
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type="MultiStepLR", milestones=[200, 205, 210, 215], gamma=0.1, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=220, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=64, enable=False)
custom_hooks = [dict(type="lwdna_mm.ChannelsLastHook")]
