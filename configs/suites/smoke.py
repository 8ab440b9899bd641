# Two minutes on handwritten digits: that a suite runs, not that anything is better than anything.
_base_ = "_base_/arms.py"

metric = "accuracy/top1"
options = {"train_cfg.max_epochs": 6, "train_cfg.val_interval": 6, "lwdna.shrink.iters": 4, "log_level": "WARNING"}
select = {"select.share": 0.2}
grid = {"optim_wrapper.optimizer.lr": [0.05, 0.2]}
every = {"baseline": 2, "uniform": 2, "lwdna": 2, "lwdna-fresh": 2, "random": 2, "narrow": 1, "wider": 1, "tilt": 1}


def task(images, arms):
    return dict(
        config="../classification/resnet8_lwdna_1xb32_digits.py",
        size=images,
        options={"subset.images_per_class": images},
        arms=arms,
    )


tasks = {
    "30": task(30, {**every, "landscape": 3, "uniform-tuned": 1, "lwdna-tuned": 1}),
    "10": task(10, {"uniform": 2, "lwdna": 2}),
}
del every
