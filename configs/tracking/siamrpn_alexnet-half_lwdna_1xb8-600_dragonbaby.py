_base_ = ["siamrpn_alexnet-half_1xb8-600_dragonbaby.py", "../_base_/lwdna.py"]
# What enters the correlations keeps its width, and with it the responses their scale.
lwdna = dict(
    input_shape=_base_.input_shape,
    amortized=_base_.amortized,
    keep=["head.cls_branch.kernel.0", "head.box_branch.kernel.0"],
)
