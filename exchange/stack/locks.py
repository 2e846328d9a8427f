"""Locks of a data directory, as flock(2) on files in it.

``stack.lock`` is held while something is being started or changed. Each server has a lock that its guard, the server
and every process of the server hold by inheritance: while one of them lives, it is taken. That is a better sign of life
than a number in a pid file, which another process may have by now.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from exchange.stack.errors import StackError

RETRY_INTERVAL_S = 0.05


def try_lock(path: Path) -> int | None:
    """Take the lock and return its descriptor (closing it lets go), or None when somebody else holds it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def is_locked(path: Path) -> bool:
    """Tell whether somebody holds the lock."""
    if not path.exists():
        return False
    fd = try_lock(path)
    if fd is not None:
        os.close(fd)
    return fd is None


@contextlib.contextmanager
def held_lock(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock for the length of the block.

    Raises:
        StackError: somebody else held it for longer than ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while (fd := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise StackError(f"{path} has been held by another command for more than {timeout_s:.0f} s")
        time.sleep(RETRY_INTERVAL_S)
    try:
        yield
    finally:
        os.close(fd)
