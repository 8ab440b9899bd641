_base_ = "mobilenetv3-small_64px.py"
model = dict(backbone=dict(backbone=dict(arch="large")), head=dict(in_channels=960, mid_channels=[1280]))
