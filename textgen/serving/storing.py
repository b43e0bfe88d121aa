"""Failures to store something, as answers."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from textgen.errors import reason
from textgen.serving.refusal import RefusalError

log = logging.getLogger(__name__)


def full() -> RefusalError:
    """The disk is full."""
    return RefusalError(507, "the disk of the server is full; nothing was stored", code="disk_full")


@contextmanager
def storing() -> Iterator[None]:
    """Turn a failure to write inside the block into a `RefusalError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full() from error
        why = reason(error)
        log.error("cannot store: %s", why)
        raise RefusalError(500, f"the server cannot store this ({why})", code="not_stored") from error
