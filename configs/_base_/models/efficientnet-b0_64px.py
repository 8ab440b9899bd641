# EfficientNet-B0 with a stride of 16 in all instead of 32, as in github.com/ofsoundof/dhp for Tiny-ImageNet.
model = dict(
    type="ImageClassifier",
    backbone=dict(type="lwdna_mm.StrideOne", backbone=dict(type="EfficientNet", arch="b0"), modules=["layers.0.conv"]),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=200, in_channels=1280, loss=dict(type="CrossEntropyLoss")),
)
