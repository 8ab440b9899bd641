# ResNet-50 as it is for ImageNet. Residual branches do not begin at zero: that would hide what is inside them from the
# search.
model = dict(
    type="ImageClassifier",
    backbone=dict(type="ResNet", depth=50, zero_init_residual=False),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=200, in_channels=2048, loss=dict(type="CrossEntropyLoss")),
)
