"""Restoration networks that mmagic lacks, and the 8-bit protocol of the published tables."""

from lwdna_mm.compat.mmagic import is_installed
from lwdna_mm.models.restoration.bicubic import Bicubic
from lwdna_mm.models.restoration.dncnn import DnCNN
from lwdna_mm.models.restoration.unet import RestorationUNet

__all__ = ["Bicubic", "DnCNN", "RestorationUNet"]

if is_installed():  # its base class is mmagic's; without mmagic the networks above still serve
    from lwdna_mm.models.restoration.preprocessor import RestorationPreprocessor

    __all__ += ["RestorationPreprocessor"]
