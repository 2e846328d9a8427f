"""Finds TCP ports on loopback that nobody uses and that the kernel does not hand out by itself.

It does not reserve a port: between the answer and its use somebody else can take it, so callers try again.
"""

import random
import socket

from exchange.stack.errors import StackError

LOOPBACK = "127.0.0.1"
# Linux' default net.ipv4.ip_local_port_range: an outgoing connection may sit on any of these at any moment.
EPHEMERAL_PORTS = range(32768, 61000)
# Below the ephemeral ports and above most registered services.
CANDIDATE_PORTS = range(20000, 32768)
MAX_ATTEMPTS = 500

_random = random.SystemRandom()


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen on 127.0.0.1:``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        # As the servers do: connections in TIME_WAIT do not make a port taken, a listener does.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((LOOPBACK, port))
            sock.listen(1)
        except OSError:
            return False
    return True


def free_port(preferred: int | None = None) -> int:
    """Return ``preferred`` if it is free and outside the ephemeral range, else a random free port outside it.

    Raises:
        StackError: no free port was found.
    """
    if preferred is not None and preferred not in EPHEMERAL_PORTS and port_is_free(preferred):
        return preferred
    for port in _random.sample(CANDIDATE_PORTS, MAX_ATTEMPTS):
        if port_is_free(port):
            return port
    raise StackError(f"no free port on {LOOPBACK} between {CANDIDATE_PORTS[0]} and {CANDIDATE_PORTS[-1]}")
