# 600 iterations of 8 pairs, as 12 epochs of 400 pairs: boxes take longer to learn than scores.
_base_ = "tracking_200.py"
param_scheduler = dict(T_max=12)
train_cfg = dict(max_epochs=12, val_interval=4)
