# scikit-learn's handwritten digits: 300 training images, the other 1,497 for validation. Needs no download.
input_shape = (1, 8, 8)
data_preprocessor = dict(num_classes=10, mean=[77.8], std=[95.9], to_rgb=False)

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    dataset=dict(
        type="lwdna_mm.Digits",
        split="train",
        train_size=300,
        pipeline=[dict(type="RandomCrop", crop_size=8, padding=1), dict(type="PackInputs")],
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type="lwdna_mm.Digits", split="test", train_size=300, pipeline=[dict(type="PackInputs")]),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
val_evaluator = dict(type="Accuracy", topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
