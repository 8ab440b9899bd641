"""The pipeline's training beside a plain PyTorch loop: same network, images, augmentation and optimizer.

The two take turns in blocks of steps within one process, so that other load on the machine meets both.
"""

import copy
import tempfile
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import Runner
from torch import Tensor

from ..errors import UserError
from .config import iterate_datasets
from .protocol import complete, experiment_name


class _DoneError(Exception):
    """Ends the pipeline's run."""


def compare_training(cfg: Config, blocks: int, steps: int) -> dict[str, list[float]]:
    """Wall times, in seconds, of blocks of training steps: ``plain`` and ``pipeline``, ``blocks`` of each.

    Args:
        cfg: from :func:`load_config`, of a classifier on images of one size; changed in place.
        blocks: how often the two take turns, after a turn that does not count.
        steps: of a turn.

    Raises:
        UserError: the training pipeline has an augmentation that the plain loop does not know, or the training is
            over before the last block.
    """
    cfg.lwdna = None
    complete(cfg)
    images, labels = load_images(cfg)
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.test_cfg = cfg.test_dataloader = cfg.test_evaluator = None
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir, cfg.log_level, cfg.experiment_name = folder, "WARNING", experiment_name(cfg, "benchmark")
        runner = Runner.from_cfg(cfg)
        turns = _TakeTurns(images, labels, blocks, steps)
        runner.register_hook(turns, priority="LOWEST")
        try:
            runner.train()
        except _DoneError:
            return turns.times
    raise UserError(f"{cfg.filename}: the training is over before {blocks + 1} blocks of {steps} steps")


def load_images(cfg: Config) -> tuple[Tensor, Tensor]:
    """All training images as the validation pipeline gives them, (n, C, H, W) uint8, and labels (n,)."""
    init_default_scope(cfg.get("default_scope", "mmengine"))  # whose transforms the pipeline names
    _, dataset = next(iterate_datasets(cfg, ["train_dataloader"]))
    _, validation = next(iterate_datasets(cfg, ["val_dataloader"]))
    train = cfg.train_dataloader.dataset
    kept, dataset.pipeline = dataset.pipeline, validation.pipeline
    samples = list(DATASETS.build(copy.deepcopy(train)))
    dataset.pipeline = kept
    return torch.stack([one["inputs"] for one in samples]), torch.cat([one["data_samples"].gt_label for one in samples])


def plain_steps(runner: Runner, images: Tensor, labels: Tensor) -> Callable[[int], None]:
    """A function that trains a copy of a runner's model for so many steps as one would without a framework.

    Args:
        runner: of an ImageClassifier. Its batch size, optimizer, autocast, normalisation, random crop and flip
            are followed.
        images, labels: see :func:`load_images`.
    """
    cfg, autocast = runner.cfg, runner.optim_wrapper.optim_context
    model = copy.deepcopy(runner.model)
    model.train()
    mean, std = model.data_preprocessor.mean, model.data_preprocessor.std
    options = dict(cfg.optim_wrapper.optimizer)
    optimizer = getattr(torch.optim, options.pop("type"))(model.parameters(), **options)
    if cfg.data_preprocessor.get("to_rgb"):
        images = images.flip(1)
    images, labels = images.to(mean.device), labels.to(mean.device)
    augment = _augmentation(cfg, images)
    batch = cfg.train_dataloader.batch_size

    def run(steps: int) -> None:
        for _ in range(steps):
            chosen = torch.randint(len(images), (batch,), device=mean.device)
            x = augment(chosen).float().sub_(mean).div_(std)
            with autocast(model):
                loss = F.cross_entropy(model(x, mode="tensor"), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss.item()

    return run


def _augmentation(cfg: Config, images: Tensor) -> Callable[[Tensor], Tensor]:
    """The config's random crop and flip on a whole batch: positions (B,) to images (B, C, h, w)."""
    _, dataset = next(iterate_datasets(cfg, ["train_dataloader"]))
    crop, flip = ConfigDict(crop_size=images.shape[-1], padding=0), 0.0
    for transform in dataset.pipeline:
        if transform.type == "RandomCrop":
            crop = transform
        elif transform.type == "RandomFlip":
            flip = transform.prob
        elif transform.type == "lwdna_mm.RandomShiftFlip":
            crop.padding, flip = transform.padding, transform.flip
        elif transform.type not in ("lwdna_mm.Cached", "LoadImageFromFile", "PackInputs"):
            raise UserError(f"{cfg.filename}: the plain loop knows random crops and flips, not {transform.type}")
    padded = F.pad(images, (crop.padding,) * 4)
    windows = padded.unfold(2, crop.crop_size, 1).unfold(3, crop.crop_size, 1)  # a view
    rows, columns = windows.shape[2:4]

    def augment(chosen: Tensor) -> Tensor:
        draw = dict(size=chosen.shape, device=chosen.device)
        x = windows[chosen, :, torch.randint(rows, **draw), torch.randint(columns, **draw)]
        flipped = torch.rand(len(chosen), 1, 1, 1, device=chosen.device) < flip
        return torch.where(flipped, x.flip(-1), x)

    return augment


class _TakeTurns(Hook):
    """Lets the plain loop have a turn after every block of the pipeline's steps."""

    def __init__(self, images: Tensor, labels: Tensor, blocks: int, steps: int) -> None:
        self.images, self.labels, self.blocks, self.steps = images, labels, blocks, steps
        self.times: dict[str, list[float]] = {"plain": [], "pipeline": []}

    def before_train_epoch(self, runner: Runner) -> None:
        """Have every image decoded, as the plain loop's are, and begin the first block."""
        for _ in runner.train_dataloader.dataset:
            pass
        self.plain = plain_steps(runner, self.images, self.labels)
        self._started = time.perf_counter()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        """At the end of a block note its time and that of as many plain steps."""
        if (runner.iter + 1) % self.steps:
            return
        middle = time.perf_counter()
        self.plain(self.steps)
        ended = time.perf_counter()
        if runner.iter + 1 > self.steps:  # the first turn warms up
            self.times["pipeline"].append(middle - self._started)
            self.times["plain"].append(ended - middle)
        if len(self.times["plain"]) == self.blocks:
            raise _DoneError
        self._started = time.perf_counter()
