model = dict(
    type="ImageClassifier",
    backbone=dict(type="lwdna_mm.CifarMobileNetV2"),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=10, in_channels=1280, loss=dict(type="CrossEntropyLoss")),
)
