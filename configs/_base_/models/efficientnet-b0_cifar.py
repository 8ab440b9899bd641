# EfficientNet-B0 with a stride of 4 in all instead of 32, as in github.com/ofsoundof/dhp.
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="lwdna_mm.StrideOne",
        backbone=dict(type="EfficientNet", arch="b0"),
        modules=["layers.0.conv", "layers.2.0.depthwise_conv.conv", "layers.3.0.depthwise_conv.conv"],
    ),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=10, in_channels=1280, loss=dict(type="CrossEntropyLoss")),
)
