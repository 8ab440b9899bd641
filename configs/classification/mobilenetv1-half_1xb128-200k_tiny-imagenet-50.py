_base_ = [
    "../_base_/models/mobilenet_v1-half.py",
    "../_base_/datasets/tiny-imagenet-50_bs128.py",
    "../_base_/schedules/tiny-imagenet_200k.py",
    "../_base_/iteration_runtime.py",
]
model = dict(head=dict(num_classes=50))
