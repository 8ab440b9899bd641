_base_ = [
    "../_base_/models/tracking_siamfc_alexnet.py",
    "../_base_/datasets/tracking_dragonbaby.py",
    "../_base_/schedules/tracking_200.py",
    "../_base_/tracking_runtime.py",
]
model = dict(backbone=dict(channels=(48, 128, 192, 192, 128)))
