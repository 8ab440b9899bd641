_base_ = "./tracking_siamrpn_alexnet.py"
model = dict(
    backbone=dict(_delete_=True, type="lwdna_mm.CIResNet22", channels=(64, 64, 128)), head=dict(in_channels=512)
)
