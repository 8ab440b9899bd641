"""The channel engine's own time beside that of Torch-Pruning (Fang et al., CVPR 2023, arXiv 2301.12900)."""

import copy
import statistics
import time
from collections.abc import Callable

from torch import Tensor, nn

from ..channels import ChannelGraph, analyze, resize
from .peers import kept_whole, torch_pruning


def compare_engines(model: nn.Module, image: Tensor, repeats: int) -> dict[str, float]:
    """CPU times, in seconds, of reading a network and of halving its channels, by us and by Torch-Pruning.

    Ours is the analysis; and analysis, resizing and the proof of the result. Theirs is
    ``DependencyGraph.build_dependency``, which runs the network; and their pruner, which builds that graph and prunes
    half of every group by magnitude, at its defaults. On one thread, CPU time is what a clock shows on a machine
    that does nothing else.

    Args:
        model: a classifier; it is left as it is.
        image: what it is called with, (1, C, H, W).
        repeats: how often they take turns, after a turn that does not count.

    Returns:
        Medians over the turns: of the forward pass alone, of each time and of its ratio to the peer's.

    Raises:
        UserError: Torch-Pruning is not installed.
    """
    package = torch_pruning()
    model.eval()
    graph = analyze(model, image)

    def halve() -> None:
        found = analyze(model, image)
        resize(model, found, found.scaled(0.5))

    contestants: dict[str, Callable[[], Callable[[], object]]] = {
        "forward": lambda: lambda: model(image),
        "analysis": lambda: lambda: analyze(model, image),
        "their graph": lambda: lambda: package.DependencyGraph().build_dependency(model, image),
        "analysis, resizing, proof": lambda: halve,
        "their pruning": lambda: _pruning(copy.deepcopy(model), image, graph),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats + 1):
        for name, prepare in contestants.items():
            contestant = prepare()
            started = time.process_time()
            contestant()
            times[name].append(time.process_time() - started)
    row: dict[str, float] = {}
    for name, values in times.items():
        row[f"{name} (s)"] = statistics.median(values[1:])
        if name.startswith("their"):
            ours = list(times.values())[list(times).index(name) - 1]
            ratios = [own / other for own, other in zip(ours[1:], values[1:], strict=True)]
            row["ours / theirs" if name == "their graph" else "together / theirs"] = statistics.median(ratios)
    return row


def _pruning(model: nn.Module, image: Tensor, graph: ChannelGraph) -> Callable[[], object]:
    package = torch_pruning()
    importance = package.importance.MagnitudeImportance()
    ignored = kept_whole(model, graph)

    def prune() -> None:
        package.pruner.BasePruner(model, image, importance, pruning_ratio=0.5, ignored_layers=ignored).step()

    return prune
