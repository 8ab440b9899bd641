_base_ = [
    "../_base_/models/tracking_siamrpn_alexnet.py",
    "../_base_/datasets/tracking_dragonbaby.py",
    "../_base_/schedules/tracking_600.py",
    "../_base_/tracking_runtime.py",
]
model = dict(backbone=dict(channels=(48, 128, 192, 192, 128)), head=dict(in_channels=128, channels=128))
train_dataloader = dict(dataset=dict(max_shift=64, max_stretch=0.18, max_squeeze=0.5, recolour=0.2))
