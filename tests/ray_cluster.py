"""A suite on a Ray cluster of two nodes on this machine, of which workers and nodes are killed under it."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ray.cluster_utils import Cluster

from tests.suite_processes import Moment, command, parent, wait_for, workers


def kill_under(suite: Path, work_dir: Path, moments: Sequence[Moment]) -> str:
    """Run a suite once on a cluster, and kill a Ray worker, or a node, in turn, each time when the moment has come.

    Returns:
        What was killed before the suite was done.
    """
    kills = dict(workers=0, nodes=0)
    # At Ray's 15 a machine that is busy never comes to the runs.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    cluster = Cluster(initialize_head=True, head_node_args=dict(num_cpus=1, include_dashboard=False))
    try:
        node = cluster.add_node(num_cpus=1)
        environment = {**os.environ, "RAY_ADDRESS": cluster.address}
        suite_run = subprocess.Popen(
            command("run", suite, work_dir, "--executor", "ray", "--jobs", "2"), env=environment
        )
        for turn, moment in enumerate(moments):
            if not wait_for(moment, suite_run) or not wait_for(lambda _: workers(work_dir) != [], suite_run):
                break
            if turn % 2 == 0:
                os.kill(parent(workers(work_dir)[0]), signal.SIGKILL)
                kills["workers"] += 1
            else:
                cluster.remove_node(node, allow_graceful=False)
                node = cluster.add_node(num_cpus=1)
                kills["nodes"] += 1
        assert suite_run.wait() == 0
    finally:
        cluster.shutdown()
    return f"killed {kills['workers']} Ray workers and {kills['nodes']} nodes"
