# MobileNetV1 at half its width.
model = dict(
    type="ImageClassifier",
    backbone=dict(type="lwdna_mm.MobileNetV1", width=0.5),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=200, in_channels=512, loss=dict(type="CrossEntropyLoss")),
)
