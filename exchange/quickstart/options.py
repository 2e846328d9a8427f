"""What quickstart is asked for, and the ports that follow from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from exchange.quickstart.errors import QuickstartError
from exchange.stack import port_is_free

DEFAULT_PORT = 8000
DEFAULT_PEER_PORT = 8001
PORTS_TRIED = 100


@dataclass(frozen=True, slots=True)
class Options:
    """`port` and `peer_port` are None when nobody asked for one."""

    data_dir: Path
    port: int | None = None
    peer_port: int | None = None
    with_peer: bool = True
    empty: bool = False


@dataclass(frozen=True, slots=True)
class ChosenPort:
    """A free port. `instead_of` is the default that was taken, else None."""

    number: int
    instead_of: int | None = None


def choose_port(
    asked: int | None, default: int = DEFAULT_PORT, *, option: str = "--port", chosen: Collection[int] = ()
) -> ChosenPort:
    """The port that was asked for, else the default, else the next free one after it.

    option: with which a port is asked for. chosen: ports that other exchanges of this start will have.

    Raises:
        QuickstartError: the port that was asked for is taken or none, or a hundred in a row are taken.
    """
    if asked is not None:
        if not 0 < asked < 65536:
            raise QuickstartError(f"{asked} is no port: 1 to 65535")
        if asked in chosen or not port_is_free(asked):
            raise QuickstartError(f"port {asked} is taken; choose another with {option}")
        return ChosenPort(asked)
    for number in range(default, default + PORTS_TRIED):
        if number not in chosen and port_is_free(number):
            return ChosenPort(number, instead_of=None if number == default else default)
    raise QuickstartError(f"ports {default} to {default + PORTS_TRIED - 1} are all taken; choose one with {option}")
