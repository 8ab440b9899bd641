# CIFAR-100 in its official format, in data_root/cifar-100-python. Downloads nothing unless download=True is given.
input_shape = (3, 32, 32)
data_root = "data/cifar100"
data_preprocessor = dict(num_classes=100, mean=[129.304, 124.070, 112.434], std=[68.170, 65.392, 70.418], to_rgb=False)

train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(
        type="CIFAR100",
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
    dataset=dict(type="CIFAR100", split="test", download=False, pipeline=[dict(type="PackInputs")]),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
val_evaluator = dict(type="Accuracy", topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
