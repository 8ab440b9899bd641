"""Networks for large images, turned into networks for small ones."""

from collections.abc import Sequence

from torch import nn

from ..errors import UserError
from ..registry import MODELS


@MODELS.register_module()
def StrideOne(backbone: dict, modules: Sequence[str]) -> nn.Module:  # noqa: N802  the name is used as a type in configs
    """Build a backbone in which some convolutions no longer reduce the image.

    Nothing else changes: their padding is half of their kernel, so that they now keep the size.

    Args:
        backbone: config of the backbone, such as ``dict(type='EfficientNet', arch='b0')``.
        modules: names of its convolutions that get a stride of 1, such as ``['layers.0.conv']``.

    Returns:
        The backbone itself.

    Raises:
        UserError: a name is not that of a convolution with a larger stride.
    """
    model = MODELS.build(backbone)
    known = dict(model.named_modules())
    for name in modules:
        module = known.get(name)
        if not isinstance(module, nn.Conv2d) or module.stride == (1, 1):
            there = [key for key, one in known.items() if isinstance(one, nn.Conv2d) and one.stride != (1, 1)]
            raise UserError(f"StrideOne: {name!r} is no convolution with a stride; there are {', '.join(there)}")
        module.stride = (1, 1)
    return model
