# SRResNet (Ledig et al., 2017) as mmagic has it, without batch norm: 16 residual blocks of 64 channels.
model = dict(
    type="BaseEditModel",
    generator=dict(type="MSRResNet", in_channels=3, out_channels=3, mid_channels=64, num_blocks=16, upscale_factor=4),
    pixel_loss=dict(type="MSELoss"),
    data_preprocessor=dict(
        type="lwdna_mm.RestorationPreprocessor", mean=[0, 0, 0], std=[255, 255, 255], output_channel_order="RGB"
    ),
)
