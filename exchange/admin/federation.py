"""Operators' pages about peers: who they are, how their channels are doing, and what push peers did not take.

Peers and channels are made and changed by commands, which take secrets; nothing of the credentials has a field here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import display
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest

from exchange.admin.pages import ServicePage
from exchange.models import Lab, Peer, PeerChannel, QuarantinedObject
from exchange.services.peers.health import ChannelHealth, channel_health
from exchange.stix.markings import Tlp


class PeerPage(ServicePage):
    """Other exchanges and plain feeds."""

    list_display = ("slug", "kind", "state", "community", "highest", "channel_count", "waiting")
    list_display_links = ("slug",)
    list_filter = ("state", "community")
    list_select_related = ("lab",)
    search_fields = ("lab__slug", "lab__name")
    ordering = ("lab__slug",)
    fields = (
        "slug",
        "name",
        "kind",
        "state",
        "url",
        "credentials",
        "trust",
        "community",
        "accepts_unsigned",
        "default",
        "highest",
        "channel_count",
        "waiting",
        "created_at",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        waiting = Count("quarantined", filter=Q(quarantined__state=QuarantinedObject.State.WAITING))
        rows: QuerySet[Any] = super().get_queryset(request).defer("sealed").annotate(waiting_count=waiting)
        return rows.prefetch_related("channels")

    @display(description="peer", ordering="lab__slug")
    def slug(self, peer: Peer) -> str:
        return peer.lab.slug

    @display(description="name")
    def name(self, peer: Peer) -> str:
        return peer.lab.name

    @display(description="kind")
    def kind(self, peer: Peer) -> str:
        return "exchange" if peer.lab.kind == Lab.Kind.NODE else "feed"

    @display(description="its certificate")
    def trust(self, peer: Peer) -> str:
        if peer.pinned_certificate:
            return f"pinned: {peer.pinned_certificate}"
        return "by authorities of its own" if peer.authorities else "by those of the system"

    @display(description="unmarked objects are")
    def default(self, peer: Peer) -> str:
        return Tlp(peer.default_label).label

    @display(description="highest label")
    def highest(self, peer: Peer) -> str:
        return Tlp(peer.highest_label).label

    @display(description="channels")
    def channel_count(self, peer: Peer) -> int:
        return len(peer.channels.all())

    @display(description="waiting in quarantine")
    def waiting(self, peer: Any) -> int:
        count: int = peer.waiting_count
        return count


class ChannelPage(ServicePage):
    """How each collection that is exchanged with a peer is doing. The list has no filters, for it needs the room."""

    list_display = (
        "number",
        "peer_slug",
        "direction",
        "remote_collection",
        "collection",
        "circuit",
        "trouble",
        "last_run",
        "watermark",
        "behind",
        "rate",
    )
    list_select_related = ("peer__lab", "collection")
    search_fields = ("peer__lab__slug", "remote_collection")
    ordering = ("peer__lab__slug", "id")
    fields = (
        "number",
        "peer_slug",
        "peer_state",
        "direction",
        "remote_collection",
        "collection",
        "interval_s",
        "circuit",
        "next_attempt_at",
        "trouble",
        "failing_since",
        "last_failure_at",
        "last_run_at",
        "last_success_at",
        "watermark",
        "behind",
        "behind_since",
        "moved",
        "rate",
        "created_at",
    )
    readonly_fields = fields

    @display(description="channel", ordering="id")
    def number(self, channel: PeerChannel) -> int:
        return channel.pk

    @display(description="peer", ordering="peer__lab__slug")
    def peer_slug(self, channel: PeerChannel) -> str:
        return channel.peer.lab.slug

    @display(description="state of the peer")
    def peer_state(self, channel: PeerChannel) -> str:
        return channel_health(channel).state

    @display(description="circuit")
    def circuit(self, channel: PeerChannel) -> str:
        health = channel_health(channel)
        return str(health.circuit) if health.state == Peer.State.ACTIVE else health.state

    @display(description="failures", ordering="failures")
    def trouble(self, channel: PeerChannel) -> str:
        return f"{channel.failures} \N{MULTIPLICATION SIGN} {channel.last_failure}" if channel.failures else "-"

    @display(description="last run", ordering="last_run_at")
    def last_run(self, channel: PeerChannel) -> str:
        return _clock(channel.last_run_at)

    @display(description="watermark")
    def watermark(self, channel: PeerChannel) -> str:
        return channel_health(channel).watermark or "-"

    @display(description="behind")
    def behind(self, channel: PeerChannel) -> str:
        return behind_text(channel_health(channel))

    @display(description="objects/s")
    def rate(self, channel: PeerChannel) -> str:
        health = channel_health(channel)
        return f"{health.rate:,.0f}" if health.rate else "-"


class ErrandPage(ServicePage):
    """What push peers are still to be told: versions that they refused, with the reason, and deletions."""

    list_display = ("stix_id", "kind", "peer_slug", "channel", "reason", "tries", "next_try", "noted_at")
    list_select_related = ("channel__peer__lab",)
    search_fields = ("stix_id", "channel__peer__lab__slug")
    ordering = ("-id",)
    fields = (
        "stix_id",
        "kind",
        "version_id",
        "peer_slug",
        "channel",
        "reason",
        "tries",
        "next_try",
        "noted_at",
    )
    readonly_fields = fields

    @display(description="peer", ordering="channel__peer__lab__slug")
    def peer_slug(self, errand: Any) -> str:
        slug: str = errand.channel.peer.lab.slug
        return slug

    @display(description="next try", ordering="next_attempt_at")
    def next_try(self, errand: Any) -> str:
        return "parked" if errand.next_attempt_at is None else _clock(errand.next_attempt_at)


def behind_text(health: ChannelHealth) -> str:
    """How far a channel is behind, in words."""
    if health.behind == 0:
        return "nothing left"
    objects = "more at the peer" if health.behind is None else f"{health.behind:,} numbers"
    return f"{objects}, for {timedelta(seconds=round(health.behind_s))}" if health.behind_s else objects


def _clock(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
