# EDSR-baseline (Lim et al., 2017): 16 residual blocks of 64 channels.
model = dict(
    type="BaseEditModel",
    generator=dict(
        type="EDSRNet",
        in_channels=3,
        out_channels=3,
        mid_channels=64,
        num_blocks=16,
        upscale_factor=2,
        res_scale=1,
        rgb_mean=[0.4488, 0.4371, 0.4040],
        rgb_std=[1.0, 1.0, 1.0],
    ),
    pixel_loss=dict(type="L1Loss"),
    data_preprocessor=dict(
        type="lwdna_mm.RestorationPreprocessor", mean=[0, 0, 0], std=[255, 255, 255], output_channel_order="RGB"
    ),
)
