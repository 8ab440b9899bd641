_base_ = [
    "../_base_/models/dncnn.py",
    "../_base_/datasets/train400_sigma50.py",
    "../_base_/datasets/denoise_tests_sigma50.py",
    "../_base_/schedules/dncnn_80k.py",
    "../_base_/restoration_runtime.py",
]
