"""Which networks of a list lie within others of it. Networks are nested or apart, so a stack is enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attribution.addresses import Net


def overlaps_in(nets: Iterable[Net]) -> Iterator[tuple[Net, Net]]:
    """Each network that lies within another, with the narrowest of those around it; what is listed twice, with itself.

    By ascending address, wide before narrow.
    """
    around: list[Net] = []
    for net in sorted(nets):
        while around and (around[-1].version != net.version or around[-1].last < net.first):
            around.pop()
        if around:
            yield net, around[-1]
        around.append(net)
