_base_ = ["siamfc_ciresnet22_1xb8-50e_got10k.py", "../_base_/lwdna.py"]
# The embedding that is correlated keeps its width, and with it the response its scale.
lwdna = dict(
    input_shape=_base_.input_shape,
    amortized=_base_.amortized,
    keep=["backbone.stage2.0.conv3"],
)
