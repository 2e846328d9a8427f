"""A TCP proxy on loopback that cuts connections: after so many bytes of the answer, in the middle of whatever it is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from exchange.stack.ports import LOOPBACK

CHUNK_BYTES = 16_384


@dataclass(slots=True)
class CuttingProxy:
    """`cuts` holds, for each of the next connections, how many bytes of answers come before it is cut; those that come
    later are left alone. cut: how many it has cut so far."""

    target: tuple[str, int]
    port: int = 0
    cuts: list[int] = field(default_factory=list)
    cut: int = 0

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                most = self.cuts.pop(0) if self.cuts else None
                threading.Thread(target=self._connect, args=(client, most), daemon=True).start()

    def _connect(self, client: socket.socket, most: int | None) -> None:
        with client, suppress(OSError), socket.create_connection(self.target) as server:
            threading.Thread(target=_copy, args=(client, server), daemon=True).start()
            left = most
            while chunk := server.recv(CHUNK_BYTES if left is None else min(left, CHUNK_BYTES) or 1):
                if left == 0:
                    break
                client.sendall(chunk)
                left = None if left is None else left - len(chunk)
            self.cut += left == 0
            # Closing alone would wait for the other thread, which waits for the client.
            client.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def cutting_proxy(port: int) -> Iterator[CuttingProxy]:
    """A proxy before a server on loopback, for the time of a block."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        proxy = CuttingProxy((LOOPBACK, port), listener.getsockname()[1])
        thread = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            # Closing alone leaves the thread in accept().
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
