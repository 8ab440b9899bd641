_base_ = ["siamfc_alexnet-half_1xb8-200_dragonbaby.py", "../_base_/lwdna.py"]
# The embedding that is correlated keeps its width, and with it the response its scale.
lwdna = dict(
    input_shape=_base_.input_shape,
    amortized=_base_.amortized,
    keep=["backbone.embedding"],
)
