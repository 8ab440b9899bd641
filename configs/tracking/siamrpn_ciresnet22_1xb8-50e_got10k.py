_base_ = [
    "../_base_/models/tracking_siamrpn_ciresnet22.py",
    "../_base_/datasets/tracking_got10k.py",
    "../_base_/schedules/tracking_50e.py",
    "../_base_/tracking_runtime.py",
]
# A box must be found as well as a place: targets lie farther off the centre and differ more in size.
train_dataloader = dict(dataset=dict(max_shift=64, max_stretch=0.18))
