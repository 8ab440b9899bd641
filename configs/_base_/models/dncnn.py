# DnCNN (Zhang et al., 2017) for one known noise level: 17 layers of 64 channels, grey.
model = dict(
    type="BaseEditModel",
    generator=dict(type="lwdna_mm.DnCNN", channels=1, mid_channels=64, depth=17),
    pixel_loss=dict(type="MSELoss"),
    data_preprocessor=dict(type="lwdna_mm.RestorationPreprocessor", mean=[0], std=[255]),
)
