"""The database backend that settings name. Django asks a kept connection once a request whether it still stands."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A server that has gone says so on the socket, so a quiet socket needs no question of its own."""

    def is_usable(self) -> bool:
        """Whether the connection stands. The server is asked only where something came unasked."""
        if self.connection is None or self.connection.closed:
            return False
        return not _is_readable(self.connection.fileno()) or bool(super().is_usable())


def _is_readable(socket: int) -> bool:
    poller = select.poll()
    poller.register(socket, select.POLLIN)
    return bool(poller.poll(0))
