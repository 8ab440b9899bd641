_base_ = [
    "../_base_/models/tracking_siamfc_alexnet.py",
    "../_base_/datasets/tracking_dragonbaby.py",
    "../_base_/schedules/tracking_200.py",
    "../_base_/tracking_runtime.py",
]
# What little training there is makes broad responses: the window has more say than in the published recipe.
model = dict(backbone=dict(channels=(48, 128, 192, 192, 128)), localizer=dict(window=0.35))
