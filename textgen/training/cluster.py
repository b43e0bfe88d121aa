"""The workers that train together: their addresses, and which of them this process is."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textgen.arguments import Range, shown, strings
from textgen.config import BATCH_SIZE, WORKER_TIMEOUT
from textgen.errors import TrainingError

PORT = Range(int, 1, 65_535)
MOST = 1024  # workers
VARIABLE = "TF_CONFIG"  # where TensorFlow looks for a cluster
ROLES = ("chief", "worker")  # of tasks in it, in the order in which they are numbered here


@dataclass(frozen=True)
class Cluster:
    """Workers that train one network together, each with a part of every batch; the first one is the chief.

    Attributes:
        workers: the address of each, `host:port`; all must reach each other under these addresses, and no one else
            should, since nothing between them is encrypted.
        worker_index: which of them this process is, from 0.
        worker_timeout: seconds after which a worker of which nothing is heard counts as lost.
    """

    workers: tuple[str, ...]
    worker_index: int
    worker_timeout: float = 60.0

    def __post_init__(self) -> None:
        """Raise `TypeError` or `ValueError` for the first value that is not allowed."""
        workers = strings("workers", self.workers)
        if not 2 <= len(workers) <= MOST:
            raise ValueError(f"`workers` must be 2 to {MOST:,} addresses, not {len(workers):,}")
        for address in workers:
            split(address)
            if workers.count(address) > 1:
                raise ValueError(f"`workers` has {address} twice; give each worker an address of its own")
        object.__setattr__(self, "workers", workers)
        for name, allowed in (
            ("worker_index", Range(int, 0, len(workers) - 1)),
            ("worker_timeout", WORKER_TIMEOUT),
        ):
            object.__setattr__(self, name, allowed.check(name, getattr(self, name)))

    @property
    def is_chief(self) -> bool:
        """Whether this process decides, and writes the run folder."""
        return self.worker_index == 0

    def told(self, index: int) -> str:
        """A worker as messages name it."""
        return f"{'the chief' if index == 0 else f'worker {index}'} ({self.workers[index]})"

    def rows(self, streams: int, index: int | None = None) -> slice:
        """Which streams of a batch a worker trains on; this one, unless another is given.

        Raises:
            TrainingError: the workers cannot have equally many; the message says how many streams can be dealt to them.
        """
        count, place = len(self.workers), self.worker_index if index is None else index
        each, left = divmod(streams, count)
        if left:
            fitting = [size for size in (each * count, (each + 1) * count) if 0 < size <= BATCH_SIZE.high]
            raise TrainingError(
                f"a batch of {streams:,} sequences cannot be dealt evenly to {count:,} workers; "
                f"{' or '.join(f'`batch_size={size}`' for size in fitting)} can"
            )
        return slice(place * each, (place + 1) * each)


def split(address: str) -> tuple[str, int]:
    """The host and the port of an address.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})", address)
    if not found or not PORT.low <= int(found[2]) <= PORT.high:
        raise ValueError(
            f"`workers` must be addresses such as 192.168.0.2:8470 or [fd00::2]:8470, not {shown(address)}"
        )
    return found[1].strip("[]"), int(found[2])


def from_environment(environment: Mapping[str, str] = os.environ, *, worker_timeout: float) -> Cluster | None:
    """The cluster that `TF_CONFIG` names; None if it is not set, or names one worker only.

    Raises:
        ValueError: it is malformed, or has tasks that training has no use for.
    """
    if not (text := environment.get(VARIABLE)):
        return None
    try:
        config = json.loads(text)
        workers = _tasks(config["cluster"])
        role, index = config["task"]["type"], config["task"]["index"]
        before = _of_role(config["cluster"], "chief") if role == "worker" else []
        known = role in ROLES and str(index).isdecimal() and int(index) < len(_of_role(config["cluster"], role))
        if not known:
            raise ValueError(f"its task is {shown(role)} {shown(index)}, which its cluster does not have")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(
            f'{VARIABLE} is malformed ({_why(error)}); expected {{"cluster": {{"worker": ["host:port", …]}}, '
            '"task": {"type": "worker", "index": 0}}, or unset it to train on this machine alone'
        ) from error
    return Cluster(workers, len(before) + int(index), worker_timeout) if len(workers) > 1 else None


def _tasks(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    if other := sorted(set(cluster) - set(ROLES)):
        raise ValueError(f"its cluster has tasks {shown(other[0])}, and only chief and worker train here")
    workers = strings("workers", [address for role in ROLES for address in _of_role(cluster, role)])
    for address in workers:
        split(address)
    if not workers:
        raise ValueError("its cluster is empty")
    return workers


def _of_role(cluster: Mapping[str, Any], role: str) -> Sequence[str]:
    addresses = cluster.get(role, [])
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        raise ValueError(f"its {role} is no list of addresses")
    return addresses


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON: {error}"
    if isinstance(error, KeyError):
        return f"it has no {shown(error.args[0])}"
    if isinstance(error, TypeError | AttributeError):
        return "a part of it is no object"
    return str(error).replace("`", "")


def from_words(words: str, worker_index: int | None, worker_timeout: float) -> Cluster:
    """The cluster of addresses in one string, with commas between them.

    Raises:
        ValueError: the index is missing, or an address is none.
    """
    if worker_index is None:
        raise ValueError("`workers` needs `worker_index`: which of them this process is, from 0")
    return Cluster(tuple(words.split(",")), worker_index, worker_timeout)
