# MobileNetV3-small with a stride of 16 in all instead of 32, as in github.com/ofsoundof/dhp for Tiny-ImageNet.
model = dict(
    type="ImageClassifier",
    backbone=dict(type="lwdna_mm.StrideOne", backbone=dict(type="MobileNetV3", arch="small"), modules=["layer0.conv"]),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="StackedLinearClsHead",
        num_classes=200,
        in_channels=576,
        mid_channels=[1024],
        dropout_rate=0.2,
        act_cfg=dict(type="HSwish"),
        init_cfg=dict(type="Normal", layer="Linear", mean=0.0, std=0.01, bias=0.0),
        loss=dict(type="CrossEntropyLoss"),
    ),
)
