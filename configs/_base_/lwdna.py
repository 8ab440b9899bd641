# Widen to twice the channels, shrink to the baseline's FLOPs, retrain by the baseline's own protocol.
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
)
