_base_ = "./tracking_siamfc_alexnet.py"
model = dict(
    head=dict(
        _delete_=True,
        type="lwdna_mm.SiamRPNHead",
        in_channels=256,
        channels=256,
        correlation="depthwise",
        ratios=(0.33, 0.5, 1, 2, 3),
        anchor_size=64,
        loss_cls=dict(type="lwdna_mm.BalancedCrossEntropyLoss"),
        loss_box=dict(type="lwdna_mm.PositiveSmoothL1Loss"),
    ),
    localizer=dict(_delete_=True, type="lwdna_mm.AnchorSearch", penalty=0.16, window=0.4, rate=0.3),
)
