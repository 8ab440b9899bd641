"""The one place that knows about foreign packages' defects on the supported stack."""

import warnings

from lwdna_mm.compat.mmagic import install as install_mmagic
from lwdna_mm.compat.mmpretrain import install as quieten_mmpretrain

__all__ = ["ignore_absent_ops", "install_mmagic", "quieten_mmpretrain"]


def ignore_absent_ops() -> None:
    """Let mmcv not warn, at every start, of the compiled operation that no network here needs."""
    warnings.filterwarnings("ignore", message="Fail to import ``MultiScaleDeformableAttention``")
