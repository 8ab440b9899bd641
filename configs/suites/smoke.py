# Two minutes on handwritten digits: that a suite runs, not that anything is better than anything.
_base_ = "_base_/arms.py"

metric = "accuracy/top1"
options = {"train_cfg.max_epochs": 6, "train_cfg.val_interval": 6, "lwdna.shrink.iters": 4, "log_level": "WARNING"}
select = {"select.share": 0.2}
grid = {"optim_wrapper.optimizer.lr": [0.05, 0.2]}
once = dict.fromkeys(["lwdna-fresh", "random", "narrow", "wider", "unchosen", "tilt", "lwdna-tuned"], 1)


def task(images, arms):
    return dict(
        config="../classification/resnet8_lwdna_1xb32_digits.py",
        size=images,
        options={"subset.images_per_class": images},
        arms=arms,
    )


tasks = {
    "20": task(20, {**dict.fromkeys(["baseline", "uniform", "lwdna"], 2), **once, "landscape": 2}),
    "10": task(10, {"uniform": 1, "lwdna": 1}),
}
del once
