"""Images that are decoded once and kept in memory."""

import copy
import pickle

from mmcv.transforms import BaseTransform, Compose

from lwdna_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Cached(BaseTransform):
    """Run deterministic transforms once for each sample and hand out copies of the result.

    For folders that fit in memory: decoding and MATLAB's bicubic cost more than a small network's training
    step. Every data-loader worker keeps its own copies.

    Args:
        transforms: the pipeline's deterministic start, such as loading and downsampling.
    """

    def __init__(self, transforms: list[dict]) -> None:
        self.transforms = Compose(transforms)
        self._results: dict[bytes, dict] = {}

    def transform(self, results: dict) -> dict:
        """Give the result for what the data set says of the sample: its file, its label and whatever else.

        Later transforms may write into it.
        """
        sample = pickle.dumps(results)  # one file may be listed with several labels
        if sample not in self._results:
            self._results[sample] = self.transforms(results)
        return copy.deepcopy(self._results[sample])
