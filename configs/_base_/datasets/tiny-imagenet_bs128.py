# Tiny-ImageNet in its official layout, all 200 classes: the official training and validation images.
input_shape = (3, 64, 64)
data_root = "data/tiny-imagenet-200"
data_preprocessor = dict(
    type="lwdna_mm.StackedPreprocessor",
    num_classes=200,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True,
)
# Decoded once and kept in memory. That needs the main process: every worker would decode and keep its own.
load = dict(type="lwdna_mm.Cached", transforms=[dict(type="LoadImageFromFile")])

train_dataloader = dict(
    batch_size=128,
    num_workers=0,
    dataset=dict(
        type="lwdna_mm.TinyImageNet",
        split="train",
        pipeline=[
            load,
            dict(type="lwdna_mm.RandomShiftFlip", padding=8, flip=0.5),
            dict(type="PackInputs"),
        ],
    ),
    # mmengine's loop sleeps two seconds at the end of an epoch of a finite sampler.
    sampler=dict(type="InfiniteSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type="lwdna_mm.TinyImageNet", split="val", pipeline=[load, dict(type="PackInputs")]),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
val_evaluator = dict(type="Accuracy", topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
