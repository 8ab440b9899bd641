# A U-Net of 4 levels, 64 to 512 channels, grey.
model = dict(
    type="BaseEditModel",
    generator=dict(type="lwdna_mm.RestorationUNet", channels=1, mid_channels=64, levels=4, down="strided"),
    pixel_loss=dict(type="L1Loss"),
    data_preprocessor=dict(type="lwdna_mm.RestorationPreprocessor", mean=[0], std=[255]),
)
