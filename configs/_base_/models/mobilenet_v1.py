_base_ = "mobilenet_v1-half.py"
model = dict(backbone=dict(width=1.0), head=dict(in_channels=1024))
