"""Between batches and networks: mmagic's preprocessor with the published tables' 8-bit protocol."""

from mmagic.models.data_preprocessors import DataPreprocessor
from torch import Tensor

from lwdna_mm.registry import MODELS


@MODELS.register_module()
class RestorationPreprocessor(DataPreprocessor):
    """mmagic's preprocessor whose results are 8-bit images, as the published PSNR tables compare them.

    mmagic clips predictions to 0-255 but does not round them.

    Args:
        eight_bit: clip and round the predictions; False leaves them as they are, which shows a noise level as
        such. kwargs: mmagic's ``DataPreprocessor`` arguments.
    """

    def __init__(self, *, eight_bit: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.eight_bit = eight_bit

    def destruct(self, outputs: Tensor, data_samples: object = None, key: str = "img") -> Tensor:
        """Undo normalisation, channel order and padding of ``outputs`` (N, C, H, W), to 0-255 and BGR."""
        images = self._destruct_norm_and_conversion(outputs, data_samples, key)
        images = self._destruct_padding(images, data_samples)
        return images.clamp(0, 255).round() if self.eight_bit else images
