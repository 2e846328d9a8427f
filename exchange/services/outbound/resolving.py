"""Resolves a name once, within a time: the system's resolver waits for slow name servers as long as it likes.

A look-up that was given up goes on in a thread of its own; how many there may be is bounded.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import Future
from typing import Final

from exchange.services.outbound.addresses import Address

TIMEOUT_S: Final = 3.0
MAX_LOOKUPS: Final = 16

_running: Final = threading.BoundedSemaphore(MAX_LOOKUPS)


def resolve(host: str, port: int) -> tuple[Address, ...]:
    """The addresses of a host, in the resolver's order; none if there are none, or not in time."""
    if not _running.acquire(blocking=False):
        return ()
    found: Future[tuple[Address, ...]] = Future()
    threading.Thread(target=_run, args=(host, port, found), name="resolver", daemon=True).start()
    try:
        return found.result(TIMEOUT_S)
    except (OSError, UnicodeError, ValueError):
        # TimeoutError, and what the resolver says, are OSErrors.
        return ()


def _run(host: str, port: int, found: Future[tuple[Address, ...]]) -> None:
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.set_result(tuple(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in entries)))
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
        found.set_exception(error)
    finally:
        _running.release()
