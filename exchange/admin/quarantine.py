"""Operators' page about quarantine: what peers sent and this node did not take, to be judged again or given up.

All of it is hostile text. It is shown escaped, with what cannot be seen spelled out, and no more of it than a person
reads. The bytes ask for a fresh sign-in, and that somebody looked is in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import SimpleListFilter, action, display
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from exchange.admin.freshness import ask_again, is_fresh
from exchange.admin.pages import ServicePage, actor_of, text_of
from exchange.models import Peer, QuarantinedObject
from exchange.services.errors import ExchangeError
from exchange.services.principals import Principal
from exchange.services.quarantine import drop_quarantined, release_quarantined, show_quarantined

MAX_SHOWN_BYTES: Final = 20_000
"""A page for a person; all of it comes from `list_quarantined --show`."""

MAX_AT_ONCE: Final = 100
"""Objects of one act: each is judged in a transaction of its own while the operator waits."""

# Long words of one line must not widen the page, and the object must not look like a part of it.
PRE: Final = (
    '<pre style="white-space: pre-wrap; overflow-wrap: anywhere; max-height: 40em; overflow: auto; margin: 0;'
    ' padding: 8px; border: 1px solid var(--border-color); color: var(--body-fg)">{}</pre>'
)


class PeerFilter(SimpleListFilter):
    """By the short name of the peer that sent it."""

    title = "peer"
    parameter_name = "peer"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [(slug, slug) for slug in Peer.objects.order_by("lab__slug").values_list("lab__slug", flat=True)]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(peer__lab__slug=self.value()) if self.value() else queryset


class QuarantinePage(ServicePage):
    """What waits, newest first, and what was decided. What an object says of itself is a claim."""

    list_display = ("number", "peer_slug", "reason", "claimed_id", "claimed_creator", "received_at", "state")
    list_display_links = ("number",)
    list_filter = ("state", PeerFilter, "reason")
    list_select_related = ("peer__lab",)
    search_fields = ("stix_id", "creator", "kid")
    ordering = ("-id",)
    actions = ("release", "drop")
    fields = (
        "peer_slug",
        "collection",
        "reason",
        "why",
        "received_at",
        "state",
        "decided_at",
        "decided_by",
        "claimed_id",
        "claimed_version",
        "claimed_creator",
        "claimed_key",
        "size",
        "content",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # A list of large objects would be read whole.
        return super().get_queryset(request).defer("body")

    @display(description="number", ordering="id")
    def number(self, row: QuarantinedObject) -> int:
        return row.pk

    @display(description="peer", ordering="peer__lab__slug")
    def peer_slug(self, row: QuarantinedObject) -> str:
        return row.peer.lab.slug

    @display(description="why")
    def why(self, row: QuarantinedObject) -> str:
        return visible(row.detail) or "-"

    @display(description="object, as it says", ordering="stix_id")
    def claimed_id(self, row: QuarantinedObject) -> str:
        return visible(row.stix_id) or "-"

    @display(description="version, as it says")
    def claimed_version(self, row: QuarantinedObject) -> str:
        return visible(row.version_text) or "-"

    @display(description="creator, as it says", ordering="creator")
    def claimed_creator(self, row: QuarantinedObject) -> str:
        return visible(row.creator) or "-"

    @display(description="key, as it says")
    def claimed_key(self, row: QuarantinedObject) -> str:
        return visible(row.kid) or "-"

    @display(description="bytes")
    def size(self, row: QuarantinedObject) -> str:
        return f"{len(bytes(row.body)):,}"

    @display(description="what came")
    def content(self, row: QuarantinedObject) -> SafeString | str:
        body = bytes(row.body)
        if not body:
            return "decided: the bytes are not kept"
        text = visible(body[:MAX_SHOWN_BYTES].decode("utf-8", "backslashreplace"))
        if len(body) > MAX_SHOWN_BYTES:
            text += f"\n[{len(body) - MAX_SHOWN_BYTES:,} bytes more: list_quarantined --show {row.pk}]"
        return format_html(PRE, text)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One object with its bytes."""
        if self.has_view_permission(request) and request.method == "GET":
            if not is_fresh(request):
                return ask_again(request)
            try:
                show_quarantined(actor=actor_of(request), number=_number(object_id))
            except ExchangeError as error:
                self.message_user(request, text_of(error), messages.ERROR)
                return HttpResponseRedirect(reverse("admin:exchange_quarantinedobject_changelist"))
        return super().change_view(request, object_id, form_url, extra_context)

    @action(description="Release: judge again, and take what is sound by now", permissions=["view"])
    def release(self, request: HttpRequest, rows: QuerySet[QuarantinedObject]) -> None:
        def judge(actor: Principal, number: int) -> tuple[int, str]:
            came = release_quarantined(actor=actor, number=number)
            if came.is_taken:
                return messages.SUCCESS, f"{number} was taken"
            return messages.WARNING, f"{number} waits on: {came.reason}, {visible(came.detail)}"

        self._each(request, rows, judge)

    @action(description="Drop: the bytes go for good, and are not kept again", permissions=["view"])
    def drop(self, request: HttpRequest, rows: QuerySet[QuarantinedObject]) -> None:
        def give_up(actor: Principal, number: int) -> tuple[int, str]:
            drop_quarantined(actor=actor, number=number)
            return messages.SUCCESS, f"{number} was dropped"

        self._each(request, rows, give_up)

    def _each(
        self,
        request: HttpRequest,
        rows: QuerySet[QuarantinedObject],
        act: Callable[[Principal, int], tuple[int, str]],
    ) -> None:
        numbers = list(rows.order_by("pk").values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
        if len(numbers) > MAX_AT_ONCE:
            self.message_user(request, f"at most {MAX_AT_ONCE} at once; nothing was changed", messages.ERROR)
            return
        actor = actor_of(request)
        for number in numbers:
            try:
                level, text = act(actor, number)
            except ExchangeError as error:
                level, text = messages.ERROR, f"{number}: {text_of(error)}"
            self.message_user(request, text, level)


def visible(text: str) -> str:
    """Text whose every character can be seen: controls and marks of direction are spelled out, lines stay lines."""
    return "".join(each if each.isprintable() or each == "\n" else ascii(each)[1:-1] for each in text)


def _number(text: str) -> int:
    """A number of a row as it stands in an address; 0, which is none, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
