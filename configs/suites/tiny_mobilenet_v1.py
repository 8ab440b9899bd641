# What the widths alone give, against images a class: MobileNetV1 at half width on 50 classes of Tiny-ImageNet. Every
# run sees 200,000 images, and is judged once, on 7,500 images that no run has seen.
_base_ = "_base_/arms.py"

metric = "accuracy/top1"
amp = True
# LW-DNA is the paper's here, but for its floor.
options = {"lwdna.shrink.min_ratio": 0.2, "lwdna.shrink.grow_last": True}

# What the start is (docs/evidence/start.md): weights cut out of the widened network are smaller by the square root of
# 2, which under batch norm is twice the learning rate and half the weight decay of the convolutions. These arms have
# no such start.
rate = {"optim_wrapper.paramwise_cfg": dict(custom_keys={"conv.weight": dict(lr_mult=2.0, decay_mult=0.5)})}
arms = {
    "lwdna-floor-0.4": dict(options={"lwdna.shrink.min_ratio": 0.4}),
    "baseline-rate": dict(options={"lwdna": None, **rate}),
    "lwdna-fresh-rate": dict(options={"lwdna.init": "fresh", **rate}),
}

# Overfitting may have a cheaper cure than new widths: each side gets the weight decay and learning rate that do best
# for it on 50 images a class that it is not trained on.
select = {"select.images_per_class": 50}
grid = {
    "optim_wrapper.optimizer.weight_decay": [1e-4, 1e-3, 3e-3],
    "optim_wrapper.optimizer.lr": [0.1, 0.3],
}

compared = {
    **dict.fromkeys(["baseline", "uniform", "lwdna", "narrow", "random", "tilt", "torch-pruning"], 3),
    **dict.fromkeys(["profile-whole", "uniform-tuned", "lwdna-tuned"], 3),
}
pair = dict(uniform=2, lwdna=2)
starts = ["baseline-rate", "lwdna-fresh-rate", "baseline-tuned", "lwdna-fresh-tuned", "profile-whole-tuned"]
acts = ["wider", "lwdna-acts", "lwdna-acts-tuned"]
more = dict.fromkeys(["unchosen", "lwdna-fresh", "random-fresh", "lwdna-floor-0.4", "profile-tilts", *acts, *starts], 3)


def task(images, arms):
    return dict(
        config="../classification/mobilenetv1-half_lwdna_1xb128-200k_tiny-imagenet-50.py",
        data="tiny-imagenet-50",
        size=images,
        options={"subset.images_per_class": images},
        arms=arms,
    )


tasks = {
    "50": task(50, {**compared, **more}),
    "200": task(200, compared),
    "25": task(25, pair),
    "100": task(100, pair),
    "400": task(400, pair),
}
del compared, pair, more, rate, starts, acts
