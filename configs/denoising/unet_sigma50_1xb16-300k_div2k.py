_base_ = [
    "../_base_/models/restoration_unet.py",
    "../_base_/datasets/div2k_sigma50.py",
    "../_base_/datasets/denoise_tests_sigma50.py",
    "../_base_/schedules/restoration_300k.py",
    "../_base_/restoration_runtime.py",
]
