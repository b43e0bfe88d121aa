"""The workers of a Slurm job step, as TensorFlow finds them in its environment."""

import os
from collections.abc import Mapping

from textgen.arguments import listed
from textgen.training.cluster import MOST, Cluster

VARIABLES = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE")


def from_slurm(environment: Mapping[str, str] = os.environ, *, worker_timeout: float) -> Cluster | None:
    """The cluster of a job step, whose tasks are the workers, with ports from 8888 on; None if it is one task.

    Raises:
        ValueError: this process is no task of a step, or what Slurm tells is not complete.
    """
    if missing := [name for name in VARIABLES if not environment.get(name)]:
        raise ValueError(
            f"`workers` is slurm, but {listed(missing)} {'is' if len(missing) == 1 else 'are'} not "
            "set; start textgen with srun, one task for each worker"
        )
    from textgen.training.backend import tf

    try:
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            gpus_per_node=MOST,
            gpus_per_task=1,
            auto_set_gpu=False,  # Slurm itself gives out the GPUs
        )
        workers = resolver.cluster_spec().as_dict()["worker"]
        if (index := resolver.get_task_info()[1]) is None:
            raise ValueError(f"{VARIABLES[0]} is {environment[VARIABLES[0]]}, and it has {len(workers)} tasks")
    except (RuntimeError, ValueError, LookupError, ArithmeticError) as error:
        raise ValueError(f"`workers` is slurm, but what Slurm tells of its tasks is not complete ({error})") from error
    return Cluster(tuple(workers), index, worker_timeout) if len(workers) > 1 else None
