model = dict(
    type="ImageClassifier",
    backbone=dict(type="lwdna_mm.CifarResNet", depth=8),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=10, in_channels=64, loss=dict(type="CrossEntropyLoss")),
)
