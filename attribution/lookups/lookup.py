"""Asks the tables: which claims that this reader may see are about these addresses, systems and domains?

A few hundred questions are one statement, however many of them there are. An address is found by equality with every
network that contains it, which a plain index answers. Nothing of the questions is kept; the log has their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attribution.addresses import around
from attribution.claims.kinds import KINDS
from attribution.claims.sight import ClaimSight, claim_sight
from attribution.lookups.matches import MAX_MATCHES, Claim, Protection, answer_of, finish_matches
from attribution.lookups.questions import ASN, DOMAIN, Question
from attribution.names import parents_of
from attribution.protection.marks import marks_for
from exchange.services.clock import now
from exchange.services.database import execute, one_round_trip, plan_by_index
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.errors import NotReadyError
from exchange.services.principals import Principal
from exchange.services.sharing import reading_as
from exchange.stix.markings import Tlp

SHOWS: Final = "lookup"
"""What the delivery log says an answer showed: claims, and no object."""

MAX_AT_ONCE: Final = 500
"""An IPv6 address stands for 129 networks, and the index is asked for each."""

MAX_NAMES: Final = 1_000_000
"""In one list."""

NO_PLACE: Final = 0
"""The log names no place of the sequence for a lookup: it would tell what was asked."""

_CLAIM: Final = """
SELECT {key}, e.stix_id, l.slug, e.state, {net}, {name}, {kind}, {asn}, e.confidence, {first}, {last}, e.seen_at,
       e.valid_until, a.label
"""
_OF_RANGE: Final = {
    "net": "e.net::text",
    "name": "NULL::text",
    "kind": "e.kind",
    "asn": "e.asn",
    "first": "e.first_seen",
    "last": "e.last_seen",
}
_OF_NAME: Final = {
    "net": "NULL::text",
    "name": "CASE e.kind WHEN 'asn' THEN 'AS' || e.value ELSE e.value END",
    "asn": "CASE e.kind WHEN 'asn' THEN e.value::bigint END",
    "kind": "0::smallint",
    "first": "NULL::timestamptz",
    "last": "NULL::timestamptz",
}
_JOINED: Final = "JOIN lab l ON l.id = e.producer_id JOIN audience a ON a.id = e.audience_id"
_ORDER: Final = "ORDER BY l.slug, e.stix_id, e.id"

_BY_NET: Final = f"""
{_CLAIM.format(key="e.net::text", **_OF_RANGE)}
FROM range_found e {_JOINED} WHERE e.net = ANY (%(nets)s::text[]::cidr[]) AND {{sight}} {_ORDER}
"""
_BY_ASN: Final = f"""
SELECT found.* FROM unnest(%(asns)s::bigint[]) AS asked (asn)
CROSS JOIN LATERAL (
    {_CLAIM.format(key="asked.asn::text", **_OF_RANGE)}
    FROM range_found e {_JOINED} WHERE e.asn = asked.asn AND {{sight}} {_ORDER} LIMIT {MAX_MATCHES + 1}
) found
"""  # noqa: S608 - put together from constants
_BY_NAME: Final = f"""
{_CLAIM.format(key="e.kind || ' ' || e.value", **_OF_NAME)}
FROM name_found e {_JOINED}
WHERE e.value = ANY (%(values)s::text[]) AND {{sight}} {_ORDER}
"""

_ALL_NAMES: Final = f"""
{_CLAIM.format(key="''", **_OF_NAME)}
FROM name_found e {_JOINED} WHERE {{sight}} ORDER BY e.kind, e.value, l.slug, e.stix_id LIMIT {MAX_NAMES + 1}
"""

Claims = Mapping[str, Sequence[Claim]]
Marks = Mapping[str, dict[str, Any]]


def look_up(
    *, principal: Principal, questions: Sequence[Question], door: str, include_stale: bool = False
) -> list[dict[str, Any]]:
    """An answer to each question, in their order.

    What is absent and what this reader may not see are the same answer.

    Raises:
        AccessDeniedError: the token does not read.
    """
    sight, moment, keys = claim_sight(principal), now(), [keys_of(each) for each in questions]
    with reading_as(principal) as readable:
        found, label = find_claims(sight, readable, questions, keys)
        claims = [claims_under(each, found) for each in keys]
        marks = find_marks(questions, claims, moment)
        answers = [
            answer_of(
                question.to_json(),
                finish_matches(mine, moment, include_stale=include_stale, protection=protection_of(question, marks)),
            )
            for question, mine in zip(questions, claims, strict=True)
        ]
        if any(answer["matches"] for answer in answers):
            record_delivery(lookup_delivery(principal, door, sight, readable, asked=len(questions), label=label))
    return answers


def lookup_delivery(
    principal: Principal,
    door: str,
    sight: ClaimSight,
    readable: list[int],
    *,
    asked: int,
    label: Tlp = Tlp.RED,
    shows: str = SHOWS,
) -> Delivery:
    """The row of the log: how many were asked, and nothing of what."""
    return Delivery(
        principal=principal,
        door=door,
        collection_ids=sight.sources,
        seqs=[NO_PLACE],
        audience_ids=readable,
        filters={"shows": shows, "asked": asked},
        label=label,
    )


def all_names(sight: ClaimSight, readable: list[int]) -> tuple[list[Claim], Tlp]:
    """All claims about domains and autonomous systems that this reader may see, and the strictest label among them.

    Inside `reading_as`, which gave `readable`.

    Raises:
        NotReadyError: there are more than `MAX_NAMES`.
    """
    conditions, params = sight.conditions(readable)
    rows = execute(_ALL_NAMES.format(sight=conditions), params, prepare=False).fetchall()
    if len(rows) > MAX_NAMES:
        raise NotReadyError("too much is known here for one list", code="too-many-claims")
    return [_claim_of(row) for row in rows], Tlp(max((row[13] for row in rows), default=Tlp.CLEAR))


def claims_under(keys: Sequence[str], found: Claims) -> list[Claim]:
    """The claims about the question with these keys among those that were found: the narrowest network first."""
    return [claim for key in keys for claim in found.get(key, ())]


def keys_of(question: Question) -> list[str]:
    """What claims about it are found under: of an address 33 networks, or 129."""
    if question.net is not None:
        return [str(net) for net in around(question.net)]
    if question.name == ASN:
        return [f"asn {question.value}", question.value]
    return [f"{DOMAIN} {name}" for name in parents_of(question.value)]


def find_claims(
    sight: ClaimSight, readable: list[int], questions: Sequence[Question], keys: Sequence[Sequence[str]]
) -> tuple[Claims, Tlp]:
    """The claims about these questions, which have these keys, by key, and the strictest label among them.

    Inside `reading_as`, which gave `readable`.
    """
    conditions, params = sight.conditions(readable)
    found: dict[str, list[Claim]] = {}
    label = Tlp.CLEAR
    for query, extra in _queries(questions, keys):
        # Planning takes longer than finding, so the statements are planned once for each connection.
        with one_round_trip():
            plan_by_index()
            asked = execute(query.format(sight=conditions), {**params, **extra})
        for row in asked.fetchall():
            found.setdefault(row[0], []).append(_claim_of(row))
            label = max(label, Tlp(row[13]))
    return found, label


def find_marks(questions: Sequence[Question], claims: Sequence[Sequence[Claim]], moment: datetime) -> Marks:
    """Why what is asked about is not to be blocked, by address and, for autonomous systems, by network.

    claims: those about each question.
    """
    texts = set[str]()
    for question, mine in zip(questions, claims, strict=True):
        if question.net is not None and mine:
            texts.add(str(question.net))
        elif question.name == ASN:
            texts.update(claim.net for claim in mine if claim.net is not None)
    asked = sorted(texts)
    marks = zip(asked, marks_for(asked, moment=moment), strict=True)
    return {text: mark.to_json() for text, mark in marks if mark is not None}


def protection_of(question: Question, marks: Marks) -> Protection:
    """An address is protected as itself, whatever network a claim is about; else each network as itself."""
    if question.net is not None:
        return lambda _claim: marks.get(str(question.net))
    return lambda claim: marks.get(claim.net) if claim.net is not None else None


def _queries(questions: Sequence[Question], keys: Sequence[Sequence[str]]) -> Iterable[tuple[str, dict[str, Any]]]:
    pairs = zip(questions, keys, strict=True)
    nets = {key for question, mine in pairs if question.net is not None for key in mine}
    asns = sorted({int(each.value) for each in questions if each.name == ASN})
    values = {name for each in questions if each.name == DOMAIN for name in parents_of(each.value)}
    if nets:
        yield _BY_NET, {"nets": list(nets)}
    if asns:
        yield _BY_ASN, {"asns": asns}
    if asns or values:
        yield _BY_NAME, {"values": sorted(values) + [str(asn) for asn in asns]}


def _claim_of(row: tuple[Any, ...]) -> Claim:
    _, id_, lab, state, net, name, kind, asn, confidence, first, last, seen_at, until, _ = row
    return Claim(id_, lab, state, net, name, KINDS[kind], asn, confidence, first, last, seen_at, until)
