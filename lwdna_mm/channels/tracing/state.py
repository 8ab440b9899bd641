"""What a rule knows of the trace it works in: the labels of every tensor met so far."""

from __future__ import annotations

from torch import Tensor, nn

from lwdna_mm.channels.tracing.labels import Recorder, Value


class Trace:
    """Labels of the tensors of one forward pass.

    Args:
        model: whose parameters and buffers are labelled when they are first met.
        amortized: indices of the model's inputs; work on nothing else is not counted in the FLOPs.
        whole: whether grouped convolutions lose whole conv-groups rather than channels within each.

    Attributes:
        recorder: what the operations demand of the channels.
        module: path of the module that runs now.
        paths: the paths of all modules.
        buffers: the names of all buffers.
    """

    def __init__(self, model: nn.Module, amortized: frozenset[int], whole: bool) -> None:
        self.recorder = Recorder()
        self.amortized = amortized
        self.whole = whole
        self.module = ""
        self._values: dict[int, tuple[Tensor, Value]] = {}
        self.buffers = frozenset(name for name, _ in model.named_buffers())
        self.paths: dict[nn.Module, str] = {}
        self._named: dict[int, tuple[Tensor | None, str]] = {}
        for path, module in model.named_modules():
            self.paths[module] = path
            for key, tensor in [*module._parameters.items(), *module._buffers.items()]:
                self._named.setdefault(id(tensor), (tensor, f"{path}.{key}" if path else key))

    def value(self, tensor: Tensor) -> Value:
        """What is known about a tensor; parameters are labelled when they are first met."""
        known = self._values.get(id(tensor))
        if known is None:
            if id(tensor) in self._named and tensor.is_floating_point():
                value = self.recorder.parameter(self._named[id(tensor)][1], tensor.shape)
            else:
                reason = f"a constant tensor in {self.where}"
                value = Value(self.recorder.constant(tensor.shape, reason))
            known = self._values[id(tensor)] = (tensor, value)
        return known[1]

    def set(self, tensor: Tensor, value: Value) -> None:
        """Attach labels to a tensor, and keep it alive so that its identity stays its own."""
        self._values[id(tensor)] = (tensor, value)

    @property
    def where(self) -> str:
        """The module that runs now, for notes."""
        return f"module '{self.module}'" if self.module else "the model itself"
