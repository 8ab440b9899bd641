_base_ = [
    "../_base_/models/mnasnet_64px.py",
    "../_base_/datasets/tiny-imagenet_bs64.py",
    "../_base_/schedules/tiny-imagenet_bs64_220e.py",
    "../_base_/default_runtime.py",
]
