"""A fixed random part of a data set, and another held out from it.

The samples of every class have one random order, which depends on the seed, the class and the order of the data
set's samples alone. Training takes the first of that order and the select split the last, so a smaller training
set lies inside a larger one, and neither meets the select split.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from ..errors import UserError
from ..registry import DATASETS


@DATASETS.register_module(name="Subset")
def build_subset(
    dataset: Mapping[str, Any],
    part: str,
    subset: Mapping[str, Any] | None = None,
    select: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> BaseDataset:
    """Build a data set and keep a part of its samples, in their own order.

    Args:
        dataset: config of any of mmengine's BaseDatasets.
        part: ``'train'`` or ``'select'``.
        subset: how much is trained on, ``dict(images_per_class=n)`` or ``dict(share=x)`` of every class's samples
            (of all samples where there are no classes); None for all but the select split.
        select: how much is held out, in the same form; None for nothing.
        seed: of the order.

    Raises:
        UserError: the data set cannot be cut, has no classes but an amount by class, or too few samples.
    """
    built = DATASETS.build(dataset)
    if not isinstance(built, BaseDataset):
        raise UserError(
            f"subset: a {type(built).__name__} has no list of images to take a part of; train on all of it, or name "
            "fewer of what it is made of"
        )
    chosen: list[int] = []
    for name, members, label in _classes(built):
        first, last = _amounts(name, len(members), subset, select)
        order = np.random.default_rng([seed, label]).permutation(members)
        chosen.extend(order[:first] if part == "train" else order[len(order) - last :])
    built.get_subset_(sorted(map(int, chosen)))
    return built


def _classes(dataset: BaseDataset) -> list[tuple[str | None, np.ndarray, int]]:
    """The name, the samples' positions and the label of every class; all samples under None if there are none."""
    labels = [dataset.get_data_info(i).get("gt_label") for i in range(len(dataset))]
    if not labels or not all(isinstance(label, int | np.integer) for label in labels):
        return [(None, np.arange(len(labels)), 0)]
    names = dataset.metainfo.get("classes")
    return [
        (str(names[label] if names else label), np.flatnonzero(np.equal(labels, label)), int(label))
        for label in np.unique(labels)
    ]


def _amounts(name: str | None, size: int, subset: Mapping | None, select: Mapping | None) -> tuple[int, int]:
    """How many of a class's ``size`` samples are trained on and held out."""
    last = 0 if select is None else _amount("select", name, size, select)
    first = size - last if subset is None else _amount("subset", name, size, subset)
    if first < 1 or first + last > size:
        wanted = f"subset wants {first} and select {last}" if subset else f"select wants {last}"
        raise UserError(f"{_of(name)} {size} training images, but {wanted}")
    return first, last


def _amount(key: str, name: str | None, size: int, amount: Mapping) -> int:
    if "images_per_class" not in amount:
        # Shares that make up one must not want one sample more than there are; 0.29 * 100 is below 29.
        count = math.floor(amount["share"] * size + 1e-6)
        if count < 1:
            raise UserError(f"{key}.share={amount['share']}: {_of(name)} {size} training images, of which that is none")
        return count
    if name is None:
        raise UserError(f"{key}.images_per_class: the training set has no classes; give {key}.share")
    return amount["images_per_class"]


def _of(name: str | None) -> str:
    return "the training set has" if name is None else f"class {name} has"
