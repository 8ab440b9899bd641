# No network but MATLAB's bicubic: shows that pipeline and metrics give the known values. Test it without a checkpoint.
_base_ = ["../_base_/datasets/sr_tests_x2.py", "../_base_/restoration_runtime.py"]
model = dict(
    type="BaseEditModel",
    generator=dict(type="lwdna_mm.Bicubic", scale=2),
    pixel_loss=dict(type="L1Loss"),
    data_preprocessor=dict(
        type="lwdna_mm.RestorationPreprocessor", mean=[0, 0, 0], std=[255, 255, 255], output_channel_order="RGB"
    ),
)
test_dataloader = _base_.test_dataloader[:2]
test_evaluator = _base_.test_evaluator[:2]
