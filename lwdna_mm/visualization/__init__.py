"""Pictures of what the models do."""

from . import save_crops

__all__ = ["save_crops"]
