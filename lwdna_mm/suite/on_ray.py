"""The executor of a cluster: every run is a Ray task, which starts it in a process of its own."""

import importlib
import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ..errors import UserError
from .local import run_process
from .matrix import Order
from .records import Record

# How often a run may lose its worker or node before it counts as failed.
RETRIES = 10
LOG = "ray.log"


def ray_executor(folder: Path, data: Path | None, threads: int, jobs: int) -> Callable[[Order], Record]:
    """An executor that does every run somewhere on a Ray cluster.

    The cluster is the one that ``RAY_ADDRESS`` names; without it one is started on this machine for as long as the
    process lives. All nodes have this package and its environment, and share a file system in which ``folder``,
    ``data`` and the configs have the same paths: so a run whose worker or node dies goes on from its checkpoint
    elsewhere. What Ray prints of workers and nodes goes to ``folder/ray.log``, and with it all standard output from
    now on.

    Args:
        folder: below it every run has a folder of its own.
        data: the folder of all images.
        threads: CPUs that a run takes.
        jobs: how many runs are to be at once. Where the cluster has GPUs, a run takes one, or where these are fewer
            than the runs, a share of one.

    Raises:
        UserError: Ray is not installed, or there is no cluster at ``RAY_ADDRESS``.
    """
    ray = _start(threads * jobs)
    folder, data = folder.resolve(), data.resolve() if data else None
    folder.mkdir(parents=True, exist_ok=True)
    sys.stdout = (folder / LOG).open("a", buffering=1)
    gpus = ray.cluster_resources().get("GPU", 0)
    task = ray.remote(num_cpus=threads, num_gpus=min(1.0, gpus / jobs), max_retries=RETRIES)(run_process)

    def execute(order: Order) -> Record:
        try:
            return ray.get(task.remote(order, folder / order.folder, data, threads))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            raise UserError(f"lost on the cluster more than {RETRIES} times: {error}") from error

    return execute


def _start(cpus: int) -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # without it Ray reports to its makers
    try:
        ray = importlib.import_module("ray")
    except ImportError as error:
        raise UserError("the executor ray is not installed: pip install 'lwdna_mm[ray]'") from error
    address = os.environ.get("RAY_ADDRESS")
    if address:
        _check_answer(address)
    local = {} if address else dict(num_cpus=cpus, include_dashboard=False)
    try:
        ray.init(address or "local", log_to_driver=False, logging_level=logging.ERROR, **local)
    except ConnectionError as error:  # address 'auto'
        raise UserError(f"RAY_ADDRESS is {address!r}, but there is no cluster") from error
    return ray


def _check_answer(address: str) -> None:
    """Ray itself would try for ten minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            raise UserError(f"RAY_ADDRESS is {address!r}, but nothing answers there: {error.strerror}") from error
