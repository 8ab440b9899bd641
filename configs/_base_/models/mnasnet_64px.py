# MNASNet-B1, from timm, as mmpretrain has none.
model = dict(
    type="ImageClassifier",
    backbone=dict(type="TIMMBackbone", model_name="mnasnet_100"),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="LinearClsHead", num_classes=200, in_channels=1280, loss=dict(type="CrossEntropyLoss")),
)
