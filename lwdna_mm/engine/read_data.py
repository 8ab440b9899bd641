"""Reading all data once before a run: what cannot be used is named at the beginning, not after hours."""

import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.registry import init_default_scope

from ..compat.images import read_image
from ..datasets.tracking_frames import check_size
from ..errors import UserError
from ..registry import DATASETS
from .config import check_data, iterate_datasets
from .explained import explain

MOST_TOLD = 20


def read_all(cfg: Config, loaders: Sequence[str], tell: Callable[[str], object] = print) -> None:
    """Read every sample of the named dataloaders' data sets once, by their own transforms; of sequences every frame.

    Args:
        cfg: from :func:`load_config`; left as it is.
        tell: gets a line for each data set, and for each of the first samples that cannot be used.

    Raises:
        UserError: some cannot be used; it names the first.
    """
    found: list[UserError | None] = [None]
    if is_main_process():
        try:
            _read_all(cfg, loaders, tell)
        except UserError as error:
            found = [error]
    broadcast_object_list(found)
    if found[0] is not None:
        raise found[0] if is_main_process() else SystemExit(2)


def _read_all(cfg: Config, loaders: Sequence[str], tell: Callable[[str], object]) -> None:
    check_data(cfg, loaders)
    init_default_scope(cfg.get("default_scope") or "mmengine")
    broken: list[str] = []
    total = 0
    for name, dataset in iterate_datasets(cfg, loaders):
        try:
            reads = [*_reads(DATASETS.build(copy.deepcopy(dataset)))]
        except (UserError, OSError):
            raise
        except Exception as error:
            raise UserError(explain(error, cfg)) from error
        before = len(broken)
        for number, read in enumerate(reads, 1):
            try:
                read()
            except UserError as error:
                broken.append(str(error))
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{name}: {number} of {len(reads)}" + "\n" * (number == len(reads)))
        total += len(reads)
        tell(f"{name}: {len(reads)} read, {len(broken) - before} of them cannot be used")
    for line in broken[:MOST_TOLD]:
        tell(line)
    if broken:
        more = f", {MOST_TOLD} of which are named above" if len(broken) > MOST_TOLD else ""
        raise UserError(f"{len(broken)} of {total} cannot be used{more}; the first: {broken[0]}")


def _reads(dataset: Any) -> Iterator[Callable[[], object]]:
    """What reads each sample, or each frame of sequences."""
    if isinstance(dataset, BaseDataset):
        return (partial(dataset.prepare_data, index) for index in range(len(dataset)))
    if hasattr(dataset, "tracks"):
        return (partial(_read_frame, file, track.frames[0]) for track in dataset.tracks for file in track.frames)
    return (partial(dataset.__getitem__, index) for index in range(len(dataset)))


def _read_frame(file: str, first: str) -> None:
    check_size(file, *(read_image(one).shape[1::-1] for one in (file, first)))
