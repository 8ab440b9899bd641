# VGG-11 with batch norm; five times halved, an image of 32 x 32 has one place left.
model = dict(
    type="ImageClassifier",
    backbone=dict(type="VGG", depth=11, norm_cfg=dict(type="BN"), num_classes=-1),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=10, in_channels=512, loss=dict(type="CrossEntropyLoss")),
)
