_base_ = [
    "../_base_/models/mobilenetv2_64px.py",
    "../_base_/datasets/tiny-imagenet-50_bs128.py",
    "../_base_/schedules/tiny-imagenet_200k.py",
    "../_base_/iteration_runtime.py",
]
model = dict(backbone=dict(backbone=dict(widen_factor=0.5)), head=dict(num_classes=50))
