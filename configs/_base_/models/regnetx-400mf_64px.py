# RegNetX-400MF with a stride of 16 in all instead of 32, as in github.com/ofsoundof/dhp for Tiny-ImageNet. Residual
# branches do not begin at zero: that would hide what is inside them from the search.
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="lwdna_mm.StrideOne",
        backbone=dict(type="RegNet", arch="regnetx_400mf", zero_init_residual=False),
        modules=["conv1"],
    ),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=200, in_channels=384, loss=dict(type="CrossEntropyLoss")),
)
