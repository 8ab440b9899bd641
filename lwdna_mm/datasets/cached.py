"""Images that are decoded once and kept in memory."""

import copy

from mmcv.transforms import BaseTransform, Compose

from lwdna_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Cached(BaseTransform):
    """Run deterministic transforms once for each file and hand out copies of the result.

    For folders that fit in memory: decoding and MATLAB's bicubic cost more than a small network's training
    step. Every data-loader worker keeps its own copies.

    Args:
        transforms: the pipeline's deterministic start, such as loading and downsampling.
    """

    def __init__(self, transforms: list[dict]) -> None:
        self.transforms = Compose(transforms)
        self._results: dict[str, dict] = {}

    def transform(self, results: dict) -> dict:
        """Give the result for the file, ``gt_path`` in mmagic and ``img_path`` in mmpretrain.

        Later transforms may write into it.
        """
        path = results["gt_path"] if "gt_path" in results else results["img_path"]
        if path not in self._results:
            self._results[path] = self.transforms(results)
        return copy.deepcopy(self._results[path])
