# VGG-11 with batch norm at half its width; five times halved, an image of 32 x 32 has one place left.
model = dict(
    type="ImageClassifier",
    backbone=dict(type="lwdna_mm.CifarVGG", depth=11, width=0.5),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=10, in_channels=256, loss=dict(type="CrossEntropyLoss")),
)
