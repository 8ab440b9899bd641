_base_ = [
    "../_base_/models/tracking_siamfc_alexnet.py",
    "../_base_/datasets/tracking_got10k.py",
    "../_base_/schedules/tracking_50e.py",
    "../_base_/tracking_runtime.py",
]
