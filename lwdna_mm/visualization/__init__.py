"""Pictures of what the models do, and reports of finished runs."""

from . import save_crops

__all__ = ["save_crops"]
