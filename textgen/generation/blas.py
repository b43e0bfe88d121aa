"""Limits BLAS to one thread.

Two are little faster for products as small as ours, and wait for each other when the other core is busy: then one is
ten times as fast.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_users = 0
_limits: Any = None


@functools.cache
def _controller() -> ThreadpoolController:
    """The BLAS library that NumPy has loaded, found once: a search takes as long as generating ten characters."""
    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run BLAS on one thread inside the block; the setting is the process's, so the last to leave restores it."""
    global _users, _limits  # noqa: PLW0603  # BLAS has one setting for the process, and so have we
    with _lock:
        if not _users:
            _limits = _controller().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                _limits.restore_original_limits()
