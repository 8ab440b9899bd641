"""Gradients accumulated for an optimizer step still to come (``accumulative_counts``), kept in checkpoints."""

from collections.abc import Iterator

from mmengine.dist import all_gather_object, get_rank, get_world_size
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

Gradients = dict[str, Tensor]


def collect(runner: Runner) -> list[Gradients] | None:
    """The gradients of every rank by parameter, on the CPU; None where no step is pending. All ranks call it.

    Until a step the ranks do not share their gradients.
    """
    if all(wrapper.should_update() for wrapper in optim_wrappers(runner)):
        return None
    named = _network(runner).named_parameters()
    return all_gather_object({name: value.grad.cpu() for name, value in named if value.grad is not None})


def put_back(runner: Runner, saved: list[Gradients]) -> None:
    """Go on from what :func:`collect` gave; with another number of processes it is lost, as the log then says."""
    if len(saved) != get_world_size():
        runner.logger.warning(f"gradients accumulated by {len(saved)} processes are lost to {get_world_size()}")
        return
    parameters = dict(_network(runner).named_parameters())
    for name, gradient in saved[get_rank()].items():
        parameters[name].grad = gradient.to(parameters[name].device)
    runner.logger.info("The gradients accumulated for the next step are those of the checkpoint: none is lost.")


def optim_wrappers(runner: Runner) -> Iterator[OptimWrapper]:
    """The optimizer wrapper of a runner, or the several that it has."""
    wrapper = runner.optim_wrapper
    return iter([wrapper] if isinstance(wrapper, OptimWrapper) else wrapper.values())


def _network(runner: Runner) -> nn.Module:
    return getattr(runner.model, "module", runner.model)
