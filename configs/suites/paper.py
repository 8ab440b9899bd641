# Every network that trains by a published schedule, for a cluster:
#     tools/suite.py run configs/suites/paper.py --executor ray --jobs N --data DATA
# DATA holds cifar10, cifar100, restoration and got10k, each as docs/install.md has it.
_base_ = "_base_/arms.py"

metric = "accuracy/top1"
# LW-DNA is the paper's here, whatever the defaults are.
options = {"lwdna.preset": "paper"}
grid = {
    "optim_wrapper.optimizer.weight_decay": [1e-4, 1e-3, 3e-3],
    "optim_wrapper.optimizer.lr": [0.1, 0.3],
}
# A tenth of the training images, to choose from the grid by; one seed is too few (docs/evidence/by_network.md).
select = {"select.share": 0.1}
grid_seeds = 3

controls = ["random", "narrow", "wider", "tilt"]
plain = dict.fromkeys(["baseline", "uniform", "lwdna", "lwdna-fresh", *controls], 3)
tuned = dict.fromkeys(["baseline-tuned", "uniform-tuned", "lwdna-tuned", "lwdna-fresh-tuned"], 3)
pruned = {"torch-pruning": 3}


def task(config, data, length, arms, **own):
    """Validated once, at the end."""
    options = {"train_cfg.val_interval": length}
    return dict(config=f"../{config}.py", data=data, options=options, arms=arms, **own)


def rates(published):
    """Adam's weight decay is left alone: none of its networks is that large for its images."""
    return {"optim_wrapper.optimizer.lr": [published / 2, published, published * 2]}


tasks = {}
for depth in (20, 56):
    for data in ("cifar10", "cifar100"):
        config = f"classification/resnet{depth}_lwdna_1xb128_{data}"
        tasks[f"resnet{depth}_{data}"] = task(config, data, 200, {**plain, **tuned, **pruned})
# Torch-Pruning 1.6 fails at the pixel shuffle of these.
own = dict(metric="Set5/PSNR", grid=rates(1e-4))
for scale in (2, 3, 4):
    config = f"super_resolution/edsr_lwdna_x{scale}c64b16_1xb16-300k_div2k"
    tasks[f"edsr_x{scale}"] = task(config, "restoration", 300_000, {**plain, **tuned}, **own)
config = "super_resolution/srresnet_lwdna_x4c64b16_1xb16-1000k_div2k"
tasks["srresnet_x4"] = task(config, "restoration", 1_000_000, {**plain, **tuned}, **own)
for sigma in (15, 25, 50):
    config = f"denoising/dncnn_lwdna_sigma{sigma}_1xb128-80k_train400"
    own = dict(metric="Set12/PSNR", grid=rates(1e-3))
    tasks[f"dncnn_sigma{sigma}"] = task(config, "restoration", 80_000, {**plain, **tuned, **pruned}, **own)
    config = f"denoising/unet_lwdna_sigma{sigma}_1xb16-300k_div2k"
    own = dict(metric="Set12/PSNR", grid=rates(1e-4))
    tasks[f"unet_sigma{sigma}"] = task(config, "restoration", 300_000, {**plain, **tuned, **pruned}, **own)
config = "denoising/unet-color_lwdna_sigma25_1xb16-300k_div2k"
own = dict(metric="CBSD68/PSNR", grid=rates(1e-4))
tasks["unet-color_sigma25"] = task(config, "restoration", 300_000, {**plain, **tuned, **pruned}, **own)
for net in ("siamfc_alexnet", "siamfc_ciresnet22", "siamrpn_alexnet", "siamrpn_ciresnet22"):
    config = f"tracking/{net}_lwdna_1xb8-50e_got10k"
    tasks[net] = task(config, "got10k", 50, {**plain, **pruned}, metric="otb/success")

del config, controls, data, depth, net, own, plain, pruned, scale, sigma, tuned
