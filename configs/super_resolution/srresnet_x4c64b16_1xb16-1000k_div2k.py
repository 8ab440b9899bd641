_base_ = [
    "../_base_/models/srresnet_x4.py",
    "../_base_/datasets/div2k_x4.py",
    "../_base_/datasets/sr_tests_x4.py",
    "../_base_/schedules/srresnet_1000k.py",
    "../_base_/restoration_runtime.py",
]
# The paper's patches: 96x96 high-resolution pixels.
train_pipeline = _base_.train_pipeline
train_pipeline[3].gt_patch_size = 96
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
input_shape = (3, 24, 24)
