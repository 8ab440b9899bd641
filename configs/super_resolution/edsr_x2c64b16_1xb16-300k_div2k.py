_base_ = [
    "../_base_/models/edsr_x2.py",
    "../_base_/datasets/div2k_x2.py",
    "../_base_/datasets/sr_tests_x2.py",
    "../_base_/schedules/edsr_300k.py",
    "../_base_/restoration_runtime.py",
]
