"""Where a network's time goes, layer by layer, by torch's profiler."""

from collections.abc import Callable, Sequence

from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from .steps import Step

RUNS = 10


def time_by_layer(network: nn.Module, step: Step, layers: Sequence[str], cuda: bool = False) -> dict[str, float]:
    """Seconds of one run of each of the layers, and of all the rest under ``''``.

    Args:
        network: that ``step`` runs; only its forward pass is told apart.
        step: see :func:`~.steps.make_step`.
        layers: paths of modules without layers inside.
        cuda: whether it runs on a GPU.
    """
    open_ranges: list[record_function] = []

    def enter(name: str) -> Callable[..., None]:
        def hook(*_: object) -> None:
            open_ranges.append(record_function(f"layer:{name}").__enter__())

        return hook

    def leave(*_: object) -> None:
        open_ranges.pop().__exit__(None, None, None)

    named = {name: network.get_submodule(name) for name in layers if name}
    handles = [module.register_forward_pre_hook(enter(name)) for name, module in named.items()]
    handles += [module.register_forward_hook(leave, always_call=True) for module in named.values()]
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    step()
    with profile(activities=activities, acc_events=True) as profiler:
        for _ in range(RUNS):
            with record_function("whole"):
                step()
    for handle in handles:
        handle.remove()
    kind = "device_time_total" if cuda else "cpu_time_total"
    events = {event.key: getattr(event, kind) * 1e-6 / RUNS for event in profiler.key_averages()}
    times = {name: events.get(f"layer:{name}", 0.0) for name in named}
    return {**times, "": events["whole"] - sum(times.values())}
