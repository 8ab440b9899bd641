model = dict(
    type="ImageClassifier",
    backbone=dict(type="lwdna_mm.CifarDenseNet", depth=40, growth=12),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=10, in_channels=448, loss=dict(type="CrossEntropyLoss")),
)
