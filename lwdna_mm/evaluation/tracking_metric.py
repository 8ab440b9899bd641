"""OTB's scores as an mmengine metric, for validation during training."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from ..registry import METRICS
from .tracking import LocalOTB


@METRICS.register_module()
class OTBMetric(BaseMetric):
    """Success, precision and speed over whole sequences, by got10k's OTB experiment.

    Reported: ``success`` (area under the success curve), ``precision`` (centre within 20 pixels),
    ``success_rate`` (overlap above one half) and ``fps``, each the mean over the sequences.
    """

    default_prefix = "otb"

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Score one batch.

        Args:
            data_batch: ``sequences``, a list of :class:`lwdna_mm.datasets.tracking.Track`.
            data_samples: For each sequence ``dict(boxes, times)``: shapes (n, 4) and (n,).
        """
        for track, sample in zip(data_batch["sequences"], data_samples, strict=True):
            boxes = np.round(sample["boxes"], 3)  # as got10k's result files do
            success, precision = LocalOTB.curves(boxes, track.boxes)
            self.results.append(dict(success=success, precision=precision, fps=np.mean(1 / sample["times"].clip(1e-9))))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """The means over all sequences."""
        success = np.mean([result["success"] for result in results], axis=0)
        precision = np.mean([result["precision"] for result in results], axis=0)
        return dict(
            success=float(success.mean()),
            precision=float(precision[20]),
            success_rate=float(success[len(success) // 2]),
            fps=float(np.mean([result["fps"] for result in results])),
        )
