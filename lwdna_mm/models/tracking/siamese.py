"""The Siamese network as an mmengine model."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModel

from ...datasets.tracking import Track
from ...registry import MODELS
from .tracker import SiameseTracker


@MODELS.register_module()
class SiameseNetwork(BaseModel):
    """One backbone for exemplar and search image, a head that correlates the two embeddings.

    Images are RGB from 0 to 255 and not normalised (SiamFC's published recipe).

    Args:
        backbone: Registry configuration; maps images to embeddings.
        head: Registry configuration; scores, decodes, and gives the loss.
        localizer: Registry configuration; turns scores into a box when tracking.
        exemplar_size, search_size: Sides in pixels of the two images when tracking.
        context: Margin around the target, see :func:`lwdna_mm.datasets.tracking_crops.context_size`.
        data_preprocessor, init_cfg: See mmengine's BaseModel.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        localizer: dict,
        exemplar_size: int = 127,
        search_size: int = 255,
        context: float = 0.5,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)
        self.localizer = MODELS.build(localizer)
        self.exemplar_size = exemplar_size
        self.search_size = search_size
        self.context = context

    def forward(
        self,
        exemplar: torch.Tensor | None = None,
        search: torch.Tensor | None = None,
        boxes: torch.Tensor | None = None,
        sequences: Sequence[Track] | None = None,
        mode: str = "tensor",
    ) -> torch.Tensor | tuple[torch.Tensor, ...] | dict[str, torch.Tensor] | list[dict]:
        """Runs both branches, or tracks.

        Args:
            exemplar: (N, 3, exemplar_size, exemplar_size), uint8 or float.
            search: (N, 3, H, W), likewise.
            boxes: (N, 4), the targets in the search images, ``(cx, cy, w, h)`` in their pixels.
            sequences: Sequences to be tracked from their first box on.
            mode: 'tensor' gives the head's outputs for (exemplar, search), 'loss' the losses for (exemplar,
                search, boxes), 'predict' for each of the sequences ``dict(name, boxes, times)``: boxes (n, 4)
                1-indexed ``(left, top, width, height)``, and seconds (n,).

        Raises:
            ValueError: If the mode is unknown.
        """
        if mode == "predict":
            return self._track(sequences)
        outputs = self.head(self.template(exemplar), self.embed(search))
        if mode == "loss":
            return self.head.loss(outputs, boxes, search.shape[-1])
        if mode == "tensor":
            return outputs
        raise ValueError(f"mode {mode!r} is unknown: use tensor, loss or predict")

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Embeddings (N, C, h, w) of images (N, 3, H, W)."""
        # The convolutions follow their input's layout, and a CPU runs them nearly twice as fast this way.
        images = images.to(next(self.backbone.parameters()).dtype)
        return self.backbone(images.contiguous(memory_format=torch.channels_last))

    def template(self, exemplar: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """What tracking one target needs of its exemplar (n, 3, exemplar_size, exemplar_size)."""
        return self.head.template(self.embed(exemplar))

    def _track(self, sequences: Sequence[Track]) -> list[dict]:
        tracker = SiameseTracker(self)
        results = []
        for sequence in sequences:
            boxes, times = tracker.track(sequence.frames, sequence.boxes[0])
            results.append(dict(name=sequence.name, boxes=boxes, times=times))
        return results
