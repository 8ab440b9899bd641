"""lwdna_mm: layer-wise differentiated networks (LW-DNA) on OpenMMLab."""

__version__ = "0.1.0"
