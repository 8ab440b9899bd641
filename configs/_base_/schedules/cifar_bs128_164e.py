# He et al., Deep Residual Learning for Image Recognition (arXiv 1512.03385), section 4.2: 64,000 iterations of 128
# images, the learning rate divided by 10 at 32,000 and 48,000; here in epochs of 391 iterations.
_base_ = "cifar_bs128.py"
param_scheduler = dict(_delete_=True, type="MultiStepLR", milestones=[82, 123], gamma=0.1, by_epoch=True)
train_cfg = dict(max_epochs=164)
