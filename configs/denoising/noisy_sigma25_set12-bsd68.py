# No network, nothing clipped: shows that the noise has its level, 20 log10(255 / 25) dB. Test it without a checkpoint.
_base_ = ["../_base_/datasets/denoise_tests_sigma25.py", "../_base_/restoration_runtime.py"]
model = dict(
    type="BaseEditModel",
    generator=dict(type="torch.nn.Identity"),
    pixel_loss=dict(type="L1Loss"),
    data_preprocessor=dict(type="lwdna_mm.RestorationPreprocessor", eight_bit=False, mean=[0], std=[255]),
)
