_base_ = ["siamrpn_ciresnet22_1xb8-50e_got10k.py", "../_base_/lwdna.py"]
# What enters the correlations keeps its width, and with it the responses their scale.
lwdna = dict(
    input_shape=_base_.input_shape,
    amortized=_base_.amortized,
    keep=["head.cls_branch.kernel.0", "head.box_branch.kernel.0"],
)
