"""Bounds of what is read from a peer and of how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exchange.stix.limits import MAX_OBJECTS_PER_ENVELOPE
from exchange.sync.connecting import CONNECT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one request each; times in seconds, sizes in bytes after decompression.

    connect_s: for one address. read_s: without a byte of the answer. deadline_s: from the first packet to the last
    byte, with all repetitions, pauses and redirects. attempts: in all. pause_s: before the first repetition, doubled
    for each further one. max_pause_s: of one pause, also of one that the peer asks for; who asks for more is left.
    """

    connect_s: float = CONNECT_TIMEOUT_S
    read_s: float = 30.0
    deadline_s: float = 120.0
    attempts: int = 4
    pause_s: float = 0.5
    max_pause_s: float = 15.0
    max_redirects: int = 3
    max_body_bytes: int = 32 * 1024 * 1024
    """Twice what a status of the largest envelope takes, which names each object in some hundred bytes."""
    max_page_objects: int = MAX_OBJECTS_PER_ENVELOPE


DEFAULT_LIMITS: Final = Limits()
