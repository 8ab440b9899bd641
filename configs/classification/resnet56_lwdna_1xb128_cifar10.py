_base_ = ["resnet56_1xb128_cifar10.py"]

lwdna = dict(
    widen=2.0,
    shrink=dict(
        warmup_iters=0,
        iters=16,
        criterion=dict(type="GradientCriterion"),
        policy="threshold",
        min_ratio=0.4,
        divisor=1,
    ),
    budget=dict(flops=1.0),
    init="inherit",
    input_shape=(3, 32, 32),
)
