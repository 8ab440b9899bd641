# CIFAR-10 in its official format, in data_root/cifar-10-batches-py. Downloads nothing unless download=True is given.
input_shape = (3, 32, 32)
data_root = "data/cifar10"
data_preprocessor = dict(num_classes=10, mean=[125.307, 122.961, 113.8575], std=[51.5865, 50.847, 51.255], to_rgb=False)

train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(
        type="CIFAR10",
        split="train",
        download=False,
        pipeline=[
            dict(type="RandomCrop", crop_size=32, padding=4),
            dict(type="RandomFlip", prob=0.5, direction="horizontal"),
            dict(type="PackInputs"),
        ],
    ),
    sampler=dict(type="DefaultSampler", shuffle=True),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=2,
    dataset=dict(type="CIFAR10", split="test", download=False, pipeline=[dict(type="PackInputs")]),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
val_evaluator = dict(type="Accuracy", topk=(1,))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
