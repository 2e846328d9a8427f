"""What /metrics says of peers: how each channel is doing, and what waits in quarantine.

Labels are the short names that operators gave, numbers of channels, and directions: nothing that a peer chose. Channels
beyond `MAX_CHANNELS` are left out, so that no scrape grows without end; `commonwatch_peer_channels` counts them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from exchange.services.peers.health import ChannelHealth, Circuit, channels_health
from exchange.services.quarantine import waiting_by_peer

MAX_CHANNELS: Final = 500
MAX_PEERS: Final = 500

_LABELS: Final = ("peer", "channel", "direction")

# A value of None is not known, and has no sample.
_GAUGES: Final[tuple[tuple[str, str, Callable[[ChannelHealth], float | None]], ...]] = (
    ("behind_seconds", "Since when there was more than was moved; 0 if nothing is left", lambda each: each.behind_s),
    ("behind_objects", "Numbers that a push has yet to pass; of a pull 0, or none while unknown", lambda c: c.behind),
    ("more", "Whether there was more than was moved", lambda each: float(each.behind != 0)),
    ("circuit_open", "Whether it failed so often that it is only probed", lambda each: each.circuit != Circuit.CLOSED),
    ("failures", "Runs in a row that failed", lambda each: each.failures),
    ("paused", "Whether its peer is paused", lambda each: each.state != "active"),
    (
        "last_success_timestamp_seconds",
        "When a run last ended well",
        lambda each: each.last_success.timestamp() if each.last_success else None,
    ),
)


def read_peer_families() -> list[Metric]:
    """The families, read from the database now.

    Raises:
        django.db.DatabaseError: it does not answer.
    """
    channels = channels_health()
    shown = sorted(channels, key=lambda each: each.number)[:MAX_CHANNELS]
    families: list[Metric] = [
        GaugeMetricFamily("commonwatch_peer_channels", "Channels to peers", value=len(channels)),
        *(_gauge(name, text, value, shown) for name, text, value in _GAUGES),
    ]
    moved = CounterMetricFamily("commonwatch_peer_channel_moved_objects", "Objects taken or given", labels=_LABELS)
    for each in shown:
        moved.add_metric(_labels(each), each.moved)
    waiting = GaugeMetricFamily("commonwatch_quarantine_waiting", "Objects in quarantine, by peer", labels=["peer"])
    for slug, count in list(waiting_by_peer().items())[:MAX_PEERS]:
        waiting.add_metric([slug], count)
    return [*families, moved, waiting]


def _gauge(
    name: str, text: str, value_of: Callable[[ChannelHealth], float | None], channels: list[ChannelHealth]
) -> Metric:
    family = GaugeMetricFamily(f"commonwatch_peer_channel_{name}", text, labels=_LABELS)
    for each in channels:
        value = value_of(each)
        if value is not None:
            family.add_metric(_labels(each), float(value))
    return family


def _labels(channel: ChannelHealth) -> list[str]:
    return [channel.peer, str(channel.number), channel.direction]
