"""Who may see what: the one rule behind every read, whatever the door (docs/sharing.md).

`audience_for` says who a label and its recipients mean; `may_read` asks it of one reader; `readable_audiences`
asks the same of the database for all interned audiences at once. Row-level security repeats the rule on the ids.
A peer is a reader too: audiences hold nothing about peers, and what it may see follows from its traits.
Grants on collections are a second, separate condition: services/collections.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from exchange.services.database import execute, one_round_trip, snapshot
from exchange.services.principals import PeerTraits, Principal, PrincipalKind
from exchange.services.remembering import recall
from exchange.stix.canonical import canonicalize
from exchange.stix.markings import Tlp


@dataclass(frozen=True, slots=True)
class Recipients:
    """Identity ids named by a distribution marking: labs, or for RED persons of this node."""

    identities: frozenset[str]


@dataclass(frozen=True, slots=True)
class AudienceRule:
    """A set of readers. `labs`, `clients` and `persons` are identity ids; `owner` is a lab's.

    labs: the lab itself (its tokens and persons); clients: downstream clients of these labs.
    every_lab, every_client: whoever is an active member when the question is asked.
    """

    label: Tlp
    anonymous: bool = False
    every_lab: bool = False
    every_client: bool = False
    labs: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    owner: str = ""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the rule's canonical form: the key under which it is interned."""
        return _digest_of(self)

    @property
    def is_empty(self) -> bool:
        return not (self.anonymous or self.every_lab or self.every_client or self.owner) and not (
            self.labs | self.clients | self.persons
        )


# The objects of a page have few audiences between them.
@lru_cache(maxsize=4096)
def _digest_of(rule: AudienceRule) -> bytes:
    members = {
        "label": int(rule.label),
        "every": [rule.anonymous, rule.every_lab, rule.every_client],
        "labs": sorted(rule.labs),
        "clients": sorted(rule.clients),
        "persons": sorted(rule.persons),
        "owner": rule.owner,
    }
    return hashlib.sha256(canonicalize(members)).digest()


def audience_for(label: Tlp, producer: str, recipients: Recipients | None) -> AudienceRule:
    """The readers of an object with this label, of this producer (identity id), for these recipients.

    Without recipients AMBER and AMBER+STRICT mean every lab with a read grant on the home collection.
    RED is for the named persons, and for the producer's own persons because the producer always sees its own. A person
    who is named reads the looser labels too: whoever may read the stricter may read the looser.
    """
    persons = frozenset() if recipients is None else recipients.identities
    named = None if recipients is None else recipients.identities | {producer}
    match label:
        case Tlp.CLEAR:
            return AudienceRule(label, anonymous=True, every_lab=True, every_client=True)
        case Tlp.GREEN:
            return AudienceRule(label, every_lab=True, every_client=True)
        case Tlp.AMBER if named is None:
            return AudienceRule(label, every_lab=True, every_client=True)
        case Tlp.AMBER:
            return AudienceRule(label, labs=named or frozenset(), clients=named or frozenset(), persons=persons)
        case Tlp.AMBER_STRICT if named is None:
            return AudienceRule(label, every_lab=True)
        case Tlp.AMBER_STRICT:
            return AudienceRule(label, labs=named or frozenset(), persons=persons)
        case Tlp.RED:
            return AudienceRule(label, persons=persons, owner=producer)


def audience_of_distribution(producer: str, recipients: Recipients) -> AudienceRule:
    """A distribution marking is readable by its producer and its recipients, labs and persons alike."""
    named = recipients.identities | {producer}
    return AudienceRule(Tlp.AMBER, labs=named, clients=named, persons=recipients.identities, owner=producer)


def may_read(reader: Principal, audience: AudienceRule) -> bool:
    """The rule itself. RED needs a person with a fresh second factor; no token ever meets it."""
    if audience.anonymous:
        return True
    if reader.peer is not None:
        return is_note_to(reader, audience) or _may_cross(reader.peer, audience)
    if not reader.is_member:
        return False
    # Who has no identity yet is named nowhere, whatever the sets hold.
    lab, person = {reader.lab_identity} - {""}, {reader.person_identity} - {""}
    if reader.is_client:
        return audience.every_client or bool(lab & audience.clients)
    if audience.every_lab or lab & audience.labs:
        return True
    is_fresh = reader.kind is PrincipalKind.PERSON and reader.fresh_second_factor
    return is_fresh and bool(person & audience.persons or lab & {audience.owner})


def is_note_to(reader: Principal, audience: AudienceRule) -> bool:
    """Whether these are the readers of a withdrawal note that names this exchange among them.

    A note names it among `labs` alone. Whom a member's marking names stands among `clients` or `persons` too, so no
    marking makes a node a recipient, and a note reaches a peer however little may cross to it: it holds no content.
    """
    if reader.peer is None or not reader.peer.is_exchange or audience.label is not Tlp.AMBER:
        return False
    return bool({reader.lab_identity} - {""} & (audience.labs - audience.clients - audience.persons))


def _may_cross(peer: PeerTraits, audience: AudienceRule) -> bool:
    """CLEAR and GREEN go to the community, AMBER and AMBER+STRICT to the homes of recipients, who stand among `persons`
    as well as among `labs`: a producer that does not name itself is none. Without recipients AMBER stays here.
    """
    if audience.label > peer.highest_label:
        return False
    named = audience.labs & audience.persons if peer.is_exchange else frozenset()
    match audience.label:
        case Tlp.CLEAR | Tlp.GREEN:
            return audience.every_lab and peer.community
        case Tlp.AMBER:
            return bool(named & peer.residents)
        case Tlp.AMBER_STRICT:
            return bool(named & peer.residents & peer.exclusive)
        case Tlp.RED:
            return False


_READABLE = """
FROM audience
WHERE anonymous
   OR (%(client)s AND (every_client OR %(lab)s = ANY (clients)))
   OR (%(member)s AND (every_lab OR %(lab)s = ANY (labs)))
   OR (%(fresh)s AND (%(person)s = ANY (persons) OR (owner <> '' AND owner = %(lab)s)))
"""
# `is_note_to` and `_may_cross`. A statement of its own, so that nobody else's is planned with it. 0 CLEAR to 4 RED.
_NAMED_AMONG = """EXISTS (SELECT FROM unnest(%({set})s::text[]) AS at_home (lab)
                           WHERE at_home.lab = ANY (labs) AND at_home.lab = ANY (persons))"""
_READABLE_BY_PEER = f"""
FROM audience
WHERE anonymous
   OR (label = 2 AND %(node)s = ANY (labs) AND NOT (%(node)s = ANY (clients) OR %(node)s = ANY (persons)))
   OR (label <= %(highest)s::int
       AND CASE label WHEN 0 THEN every_lab AND %(community)s
                      WHEN 1 THEN every_lab AND %(community)s
                      WHEN 2 THEN {_NAMED_AMONG.format(set="residents")}
                      WHEN 3 THEN {_NAMED_AMONG.format(set="exclusive")}
                      ELSE false END)
"""


def readable_audiences(reader: Principal) -> list[int]:
    """Ids of all interned audiences that the reader belongs to: `may_read` in SQL, asked once per request."""
    readable, params = _readable_by(reader)
    query = f"SELECT id {readable} ORDER BY id"
    key = ("audiences", *(tuple(value) if isinstance(value, list) else value for value in params.values()))
    return recall(key, lambda: [row[0] for row in execute(query, params).fetchall()])


def _readable_by(reader: Principal) -> tuple[str, dict[str, object]]:
    """The rows of this reader's audiences, and the parameters of the condition."""
    if reader.peer is not None:
        return _READABLE_BY_PEER, _peer_params(reader, reader.peer)
    return _READABLE, _reader_params(reader)


def _peer_params(reader: Principal, peer: PeerTraits) -> dict[str, object]:
    return {
        "node": (reader.lab_identity or None) if peer.is_exchange else None,
        "community": peer.community,
        "highest": peer.highest_label,
        "residents": sorted(peer.residents) if peer.is_exchange else [],
        "exclusive": sorted(peer.residents & peer.exclusive) if peer.is_exchange else [],
    }


def _reader_params(reader: Principal) -> dict[str, object]:
    itself = reader.is_member and not reader.is_client
    return {
        "client": reader.is_client,
        "member": itself,
        "fresh": itself and reader.kind is PrincipalKind.PERSON and reader.fresh_second_factor,
        "lab": reader.lab_identity or None,
        "person": reader.person_identity or None,
    }


_READ_AS = """
SELECT array_agg(id ORDER BY id), set_config('commonwatch.audiences', array_agg(id ORDER BY id)::text, true)
"""


@contextmanager
def reading_as(reader: Principal) -> Iterator[list[int]]:
    """A transaction that sees what `reader` may read; gives the ids of its audiences.

    Ids and rows come from one state of the database. Else an audience that is new in between would hide its entry
    from a page that shows a later entry, and a follower would never come back for the first.
    """
    readable, params = _readable_by(reader)
    with snapshot():
        with one_round_trip():
            found = execute(_READ_AS + readable, params)
        yield found.fetchall()[0][0] or []


def intern_audiences(rules: Iterable[AudienceRule]) -> Mapping[bytes, int]:
    """Ids of these audiences by digest, adding the rows that are new. Two statements whatever the number."""
    by_digest = {rule.digest: rule for rule in rules}
    if not by_digest:
        return {}
    found = _find_audiences(list(by_digest))
    missing = [rule for digest, rule in sorted(by_digest.items()) if digest not in found]
    if missing:
        _insert_audiences(missing)
        found = _find_audiences(list(by_digest))
    return found


def _find_audiences(digests: list[bytes]) -> dict[bytes, int]:
    found = execute("SELECT digest, id FROM audience WHERE digest = ANY (%(digests)s)", {"digests": digests})
    return {bytes(digest): audience_id for digest, audience_id in found.fetchall()}


def _insert_audiences(rules: list[AudienceRule]) -> None:
    rows = [
        (
            rule.digest,
            int(rule.label),
            rule.anonymous,
            rule.every_lab,
            rule.every_client,
            sorted(rule.labs),
            sorted(rule.clients),
            sorted(rule.persons),
            rule.owner,
        )
        for rule in rules
    ]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO audience (digest, label, anonymous, every_lab, every_client, labs, clients, persons, owner)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (digest) DO NOTHING",
            rows,
        )


_AUDIENCES = """
SELECT id, label, anonymous, every_lab, every_client, labs, clients, persons, owner
FROM audience WHERE id = ANY (%(ids)s)
"""


def load_audiences(ids: Iterable[int]) -> Mapping[int, AudienceRule]:
    """The rules behind interned ids."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    return {
        row[0]: AudienceRule(
            Tlp(row[1]), row[2], row[3], row[4], frozenset(row[5]), frozenset(row[6]), frozenset(row[7]), row[8]
        )
        for row in execute(_AUDIENCES, {"ids": wanted}).fetchall()
    }
