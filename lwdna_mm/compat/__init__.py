"""The one place that knows about foreign packages' defects on the supported stack."""

from lwdna_mm.compat.mmagic import install as install_mmagic

__all__ = ["install_mmagic"]
