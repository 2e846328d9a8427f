"""What a peer said of the objects of an envelope: the reading of a final status (TAXII 2.1 section 4.3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from exchange.services.pushing import Outgoing
from exchange.stix.errors import StixError
from exchange.stix.timestamps import ordering_key
from exchange.sync.peers import RemoteStatus, StatusDetail

UNNAMED: Final = "the peer refused it without naming it"
SILENT: Final = "the peer refused it without a reason"


def refused_of(status: RemoteStatus, sent: Sequence[Outgoing]) -> list[tuple[Outgoing, str]]:
    """Those of the objects that were not taken, each with the peer's reason.

    A peer may count more failures than it names. Then whatever it does not name among the successes counts as refused:
    it is posted again, which changes nothing where it was taken.
    """
    named = [(each, _reason_for(each, status.failure, sent)) for each in sent]
    refused = [(each, reason) for each, reason in named if reason]
    if status.failure_count <= len(status.failure):
        return refused
    taken = {each.id for each in status.success}
    return [(each, reason or UNNAMED) for each, reason in named if reason or each.stix_id not in taken]


def _reason_for(sent: Outgoing, failures: Sequence[StatusDetail], all_sent: Sequence[Outgoing]) -> str:
    """ "" if no failure is about this object. Peers that name no version, or one of their own making, mean the id."""
    mine = [each for each in failures if each.id == sent.stix_id]
    is_one_of_many = sum(each.stix_id == sent.stix_id for each in all_sent) > 1
    exact = [each for each in mine if is_same_version(each.version, sent.version)]
    chosen = exact or ([] if is_one_of_many and any(_is_of(each, all_sent) for each in mine) else mine)
    return (chosen[0].message or SILENT) if chosen else ""


def _is_of(failure: StatusDetail, sent: Sequence[Outgoing]) -> bool:
    return any(each.stix_id == failure.id and is_same_version(failure.version, each.version) for each in sent)


def is_same_version(said: str, version: str) -> bool:
    """Whether a peer means this version: timestamps have more than one form."""
    try:
        return ordering_key(said) == ordering_key(version)
    except (StixError, ValueError):
        return said == version
