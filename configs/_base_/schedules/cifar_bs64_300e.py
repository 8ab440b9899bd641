# Huang et al., Densely Connected Convolutional Networks (arXiv 1608.06993), section 4.2: 300 epochs of batches of 64,
# the learning rate divided by 10 at a half and at three quarters. The LW-DNA authors' public code for DHP
# (github.com/ofsoundof/dhp) trains all CIFAR networks so, without Nesterov's momentum.
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = dict(type="MultiStepLR", milestones=[150, 225], gamma=0.1, by_epoch=True)
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=64, enable=False)
custom_hooks = [dict(type="lwdna_mm.ChannelsLastHook")]
