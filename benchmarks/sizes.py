"""How much is measured: the whole run of the table, and a quick one that shows that everything works."""

from __future__ import annotations

import os
from dataclasses import dataclass

CORES = os.cpu_count() or 1
WEB_WORKERS = min(CORES, 4)
"""Web processes of every server that can have several."""

WEB_THREADS = 4
"""Of each web process of ours."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Objects are stored, pages and polls are asked for; times are in seconds."""

    objects: int = 100_000
    small: int = 10_000
    large: int = 1_000_000
    page: int = 1_000
    new: int = 10
    """Objects that a poll finds."""
    repeated_pages: int = 20
    """Distinct pages that are read again and again."""
    connections: int = 16
    rounds: int = 3
    load_s: float = 5.0
    polls: int = 300
    peer_s: float = 15.0
    """The longest for each work of a peer, and for its full pull three times that."""
    medallion_objects: int = 1_000
    """Its time for a page grows with the square of what is stored."""
    batch_objects: int = 8_000
    crossing_objects: int = 100_000
    """Of a first sync."""
    crossing_s: float = 40.0
    """How long objects are published one by one while they cross."""
    idle_peers: int = 50
    idle_s: float = 120.0
    single_objects: int = 1_500
    backtest_rows: int = 10_000_000
    validated: int = 10_000
    """Signatures."""
    ranges: int = 1_000_000
    lookups: int = 5_000
    timed_lookups: int = 10_000
    evaluations: int = 10_000


FULL = Sizes()
QUICK = Sizes(
    objects=4_000,
    small=2_000,
    large=8_000,
    page=100,
    repeated_pages=4,
    rounds=1,
    load_s=0.5,
    polls=20,
    peer_s=2.0,
    medallion_objects=100,
    batch_objects=400,
    crossing_objects=2_000,
    crossing_s=4.0,
    idle_peers=5,
    idle_s=10.0,
    single_objects=40,
    backtest_rows=50_000,
    validated=200,
    ranges=20_000,
    lookups=300,
    timed_lookups=600,
    evaluations=200,
)
