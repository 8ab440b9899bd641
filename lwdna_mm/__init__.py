"""lwdna_mm: layer-wise differentiated networks (LW-DNA) on OpenMMLab."""

from lwdna_mm.compat import ignore_absent_ops, install_mmagic, quieten_mmpretrain

__version__ = "0.1.0"

# Before anybody can import mmagic or mmpretrain; data-loader workers started by spawn come through here again.
install_mmagic()
quieten_mmpretrain()
ignore_absent_ops()
