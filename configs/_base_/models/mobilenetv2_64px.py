# MobileNetV2 with a stride of 16 in all instead of 32, as in github.com/ofsoundof/dhp for Tiny-ImageNet.
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="lwdna_mm.StrideOne",
        backbone=dict(type="MobileNetV2", widen_factor=1.0),
        modules=["layer2.0.conv.1.conv"],
    ),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=200, in_channels=1280, loss=dict(type="CrossEntropyLoss")),
)
