"""Operators' list of networks that are not to be blocked: adding, renewing, removing. Each change is audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from attribution.addresses import Net
from attribution.models import AllowedNetwork
from attribution.protection.files import AllowedLine, read_allowed_lines
from attribution.protection.networks import parse_network
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import ExchangeError, InvalidRequestError, NotFoundError
from exchange.services.principals import Principal
from exchange.stix.errors import StixError

MIN_LENGTH: Final = {4: 8, 6: 16}
"""Nothing wider is protected: by one wide entry an operator alone would switch defence off."""

MAX_KEPT_FOR: Final = timedelta(days=730)
"""Networks change hands; whoever protects one looks again after two years at the latest."""

_MAX_CHARS: Final = {"title": 200, "source": 500}


@dataclass(frozen=True, slots=True)
class NewAllowedNetwork:
    """One entry, as an operator states it. net: an address or CIDR. until: aware, when it ends."""

    net: str
    title: str
    reason: str
    source: str
    until: datetime


def add_allowed_network(*, actor: Principal, entry: NewAllowedNetwork) -> AllowedNetwork:
    """Protect a network, or set its entry anew if it has one.

    Raises:
        StixError: no network. InvalidRequestError: it is too wide, or a text or the time cannot stand.
    """
    with writing():
        return _add(actor, entry)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """taken: lines whose network is protected now. refused: number of each other line, and what is wrong with it."""

    taken: int
    refused: tuple[tuple[int, str], ...]


def import_allowed_file(*, actor: Principal, raw: bytes) -> ImportReport:
    """Protect the networks of a CSV file (attribution/protection/files.py); what is wrong in a line concerns it alone.

    Raises:
        StixError: the file cannot be read at all; nothing is changed.
    """
    refused: list[tuple[int, str]] = []
    taken = 0
    with writing():
        for line in read_allowed_lines(raw):
            fault = line.fault or _take(actor, line)
            if fault is None:
                taken += 1
            else:
                refused.append((line.number, fault))
    return ImportReport(taken, tuple(refused))


def _take(actor: Principal, line: AllowedLine) -> str | None:
    """Add one line's entry; answers what is wrong with it. Every check comes before the first write."""
    assert line.until is not None
    texts = {name: line.fields[name] for name in ("net", "title", "reason", "source")}
    try:
        _add(actor, NewAllowedNetwork(**texts, until=line.until))
    except StixError as error:
        return error.message
    except ExchangeError as error:
        return error.detail
    return None


def remove_allowed_network(*, actor: Principal, net: str) -> str:
    """Protect a network no longer; acts at the next question. Answers its one spelling.

    Raises:
        StixError: no network. NotFoundError: it has no entry.
    """
    name = str(parse_network(net))
    with writing():
        removed, _ = AllowedNetwork.objects.filter(net=name).delete()
        if not removed:
            raise NotFoundError(f"the network {name} is not on the list", code="network-not-allowed")
        record_event(actor, "network-disallowed", name)
    return name


def list_allowed_networks() -> list[AllowedNetwork]:
    """All entries by network, expired ones too."""
    return list(AllowedNetwork.objects.all())


def _add(actor: Principal, entry: NewAllowedNetwork) -> AllowedNetwork:
    moment = now()
    net = check_entry(entry, moment)
    row, made = AllowedNetwork.objects.update_or_create(
        net=str(net),
        defaults={
            "title": entry.title.strip(),
            "reason": entry.reason,
            "source": entry.source.strip(),
            "expires_at": entry.until,
            "added_at": moment,
            "added_by": str(actor),
        },
    )
    action = "network-allowed" if made else "network-allowed-anew"
    record_event(actor, action, str(net), reason=entry.reason, until=entry.until.isoformat())
    return row


def check_entry(entry: NewAllowedNetwork, moment: datetime) -> Net:
    """The network of an entry that can stand at `moment`. Raises: as `add_allowed_network`."""
    net = parse_network(entry.net)
    if net.length < MIN_LENGTH[net.version]:
        raise _refused("net", f"{net} is too wide: nothing wider than /{MIN_LENGTH[net.version]} is protected")
    for name, most in _MAX_CHARS.items():
        text = getattr(entry, name).strip()
        if not text or len(text) > most or not text.isprintable():
            raise _refused(name, f"{name} is a line of 1 to {most} characters")
    if entry.reason not in AllowedNetwork.Reason.values:
        raise _refused("reason", f"reason is one of {', '.join(AllowedNetwork.Reason.values)}")
    if not moment < entry.until <= moment + MAX_KEPT_FOR:
        raise _refused("until", f"until lies in the next {MAX_KEPT_FOR.days} days")
    return net


def _refused(name: str, detail: str) -> InvalidRequestError:
    return InvalidRequestError(detail, code="allowed-network", pointer=f"/{name}")
