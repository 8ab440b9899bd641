# What searched widths give in the four domains, on two cores: networks and trainings are small, the test sets whole.
#     tools/suite.py run configs/suites/cpu.py --data DATA --jobs 2
# DATA holds cifar10 (folders), tiny-imagenet-50, restoration and tracking/otb, each as docs/install.md has it. Images
# by share are of the 400 of train400. No task has a size: they are different networks, whose runs need not vary alike.
_base_ = "_base_/arms.py"

metric = "accuracy/top1"
amp = True
# LW-DNA is the paper's here, but for what an arm says.
options = {"lwdna.shrink.grow_last": True}
select = {"select.share": 0.2}
grid = {
    "optim_wrapper.optimizer.weight_decay": [1e-4, 1e-3, 3e-3],
    "optim_wrapper.optimizer.lr": [0.1, 0.3],
}
# What every task is asked, and what is tried beside it where a training is short.
asked = ["baseline", "uniform", "random", "lwdna", "lwdna-acts", "uniform-tuned", "lwdna-tuned"]
tried = [*asked, "tilt", "profile-whole"]
measured = [*tried, "response"]
# Where LW-DNA is behind: is it the widths, or which channels are kept?
taken_apart = ["chosen", "unchosen"]
# Where LW-DNA widens what the last layer reads.
capped = ["lwdna-capped", "lwdna-capped-acts", "lwdna-capped-tuned"]
# Is a warm-up good for the widths, or only more training?
warmed = ["uniform-warm", "lwdna-warm"]


# What LW-DNA does to DnCNN in every run, by itself: another last layer. And LW-DNA without it.
def dncnn_with_last(width):
    widths = {f"generator.body.{index}": 32 for index in (0, 2, 5, 8, 11, 14)}
    criterion = dict(type="WidthsCriterion", widths={**widths, "generator.body.17": width})
    return dict(options={"lwdna.shrink.criterion": criterion, "lwdna.shrink.min_ratio": 0.0})


def random_plan(seed):
    """The landscape's plan of that number."""
    criterion = dict(type="RandomWidthsCriterion", spread=0.5, seed=seed)
    return dict(options={"lwdna.shrink.criterion": criterion, "lwdna.shrink.min_ratio": 0.0})


arms = {
    "last-wide": dncnn_with_last(56),
    "last-narrow": dncnn_with_last(18),
    "lwdna-last-kept": dict(options={"lwdna.keep": ["generator.body.17"]}),
    # LW-DNA of VGG without another width of what the classifier reads.
    "lwdna-features-kept": dict(options={"lwdna.keep": ["backbone.features.11.conv"]}),
    # The best and the worst of ResNet-20's random plans, once more: is that what the widths are worth?
    "random-best": random_plan(7),
    "random-worst": random_plan(10),
    # And LW-DNA of ResNet-20 within its blocks only.
    "lwdna-trunk-kept": dict(
        options={"lwdna.keep": ["backbone.conv1", "backbone.layer2.0.conv2", "backbone.layer3.0.conv2"]}
    ),
}
last = ["last-wide", "last-narrow", "lwdna-last-kept"]
# A run has one core; starting a loader's processes anew in every epoch takes longer than the few images.
alone = {"train_dataloader.num_workers": 0}
# With the start, which doubles it, a rate of 0.1 breaks some runs: docs/evidence/by_network.md.
slow = dict(grid={**grid, "optim_wrapper.optimizer.lr": [0.03, 0.1]})


def task(config, data, length, arms, options=None, **own):
    """Three seeds an arm; validated once, at the end."""
    options = {"train_cfg.val_interval": length, **(options or {})}
    return dict(config=f"../{config}.py", data=data, options=options, arms=dict.fromkeys(arms, 3), **own)


def cifar(network, images, epochs, arms, more=None, **own):
    """80,000 training images seen, whether they are 50 or 1,000 a class."""
    options = {"subset.images_per_class": images, "train_cfg.max_epochs": epochs, **(more or {})}
    config = f"classification/{network}_lwdna_1xb128_cifar10-folder"
    return task(config, "cifar10", epochs, arms, options, **own)


def restoration(config, metric, iters, arms, share=1):
    options = {"train_cfg.max_iters": iters} | ({"subset.share": share} if share < 1 else {})
    grid = {"optim_wrapper.optimizer.lr": [3e-4, 1e-3, 3e-3]}
    return task(config, "restoration", iters, arms, options, grid=grid, metric=metric)


def denoising(network, images, arms):
    config = f"denoising/{network}-small_lwdna_sigma25_1xb32-1500_train400"
    return restoration(config, "Set12/PSNR", 400, arms, images / 400)


def siamfc(train, test, arms):
    """Tuned on the last fifth of the training sequence's frames, which is tracked."""
    options = {f"{loader}_dataloader.dataset.sequences": [test] for loader in ("val", "test")}
    options["train_dataloader.dataset.sequences"] = [train]
    config = "tracking/siamfc_alexnet-half_lwdna_1xb8-200_dragonbaby"
    grid = {"optim_wrapper.optimizer.lr": [3e-3, 1e-2, 3e-2]}
    return task(config, "tracking/otb", 4, arms, options, grid=grid, metric="otb/success")


tasks = {
    "dncnn-5": denoising("dncnn", 5, [*measured, *taken_apart, *warmed, *last, *capped, "lwdna-fresh", "profile"]),
    "edsr": restoration(
        "super_resolution/edsr-small_lwdna_x2c32b4_1xb16-3000_yang91",
        "Set5/PSNR",
        600,
        [*measured, *warmed, *capped, "profile", "profile-tilts"],
    ),
    "siamfc-dragonbaby": siamfc("DragonBaby", "Crossing", [*tried, *warmed]),
    "siamfc-crossing": siamfc("Crossing", "DragonBaby", asked),
    "resnet20-50": cifar(
        "resnet20",
        50,
        160,
        [*measured, *taken_apart, *warmed, *capped, "lwdna-trunk-kept", "random-best", "random-worst", "profile-tilts"],
    ),
    "vgg11-50": cifar(
        "vgg11-half", 50, 160, [*measured, *capped, "tilt-fresh", "tilt-tuned", "profile-whole-tuned"], alone, **slow
    ),
    "unet-5": denoising("unet", 5, [*tried, *capped, "profile-repeated"]),
    "dncnn-20": denoising("dncnn", 20, [*asked, *taken_apart, *capped, "lwdna-last-kept"]),
    "dncnn-400": denoising("dncnn", 400, [*asked, *taken_apart, *capped, "lwdna-last-kept"]),
    "unet-20": denoising("unet", 20, [*asked, *capped]),
    "unet-400": denoising("unet", 400, [*asked, *capped]),
    "resnet20-1000": cifar("resnet20", 1000, 8, [*asked, *capped]),
    "vgg11-1000": cifar("vgg11-half", 1000, 8, [*asked, *capped, "lwdna-features-kept"], alone, **slow),
    # In vgg11-1000 the two that chose these points of the grid, weight decays of 1e-3 and 3e-3, were 1.5, 1.2 and 1.4
    # apart: with as many seeds as can tell, and each at both points.
    "vgg11-1000-slow": cifar(
        "vgg11-half",
        1000,
        8,
        ["baseline"],
        {**alone, "optim_wrapper.optimizer.lr": 0.03, "optim_wrapper.optimizer.weight_decay": 1e-3},
    ),
    # As the main figure's MobileNetV1, at half its length.
    "mobilenetv2-50": task(
        "classification/mobilenetv2-half_lwdna_1xb128-200k_tiny-imagenet-50",
        "tiny-imagenet-50",
        10**9,
        tried,
        {"subset.images_per_class": 50, "train_cfg.max_iters": 780},
    ),
}

# What widths can do at all, and how the search's own options do.
for name in ("dncnn-5", "edsr", "siamfc-dragonbaby", "vgg11-50"):
    tasks[name]["arms"].update({"landscape": 12, "lwdna-search": 1, "lwdna-batches-search": 1})
tasks["resnet20-50"]["arms"]["landscape"] = 12
for name in ("uniform", "uniform-decayed", "lwdna-capped", "lwdna-capped-decayed", "tilt"):
    tasks["vgg11-1000-slow"]["arms"][name] = 9

del name, asked, tried, measured, taken_apart, warmed, last, capped, alone, slow
