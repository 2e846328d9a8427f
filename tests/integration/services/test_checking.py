"""`check_exchange` is green after everything that services do, and red for each corruption that is planted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from exchange.services.checking import Report, check_exchange
from exchange.services.collections import create_collection
from exchange.services.deletion import delete_object
from exchange.services.held_keys import create_exchange_key
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus
from exchange.stix.canonical import canonicalize
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign
from tests.integration.services.chains import next_identity
from tests.integration.services.views import as_owner, marked, seconds_now, store
from tests.support.labs import Community, admit_lab


@pytest.fixture(scope="module")
def busy(settled_community: Community) -> Community:
    """Everything that leaves rows of its own kind."""
    aurora, borealis, cobalt = settled_community.labs
    marking = aurora.distribution(borealis.identity)
    first = aurora.indicator(name="marker-first")
    waiting = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, WAITED_FOR])
    gone = aurora.indicator()
    store(aurora, first, marking, gone, aurora.address("203.0.113.1"))
    store(aurora, aurora.next_version(first, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]]))
    store(aurora, marked(aurora, Tlp.AMBER, marking, name="marker-narrow"), marked(aurora, Tlp.RED))
    store(borealis, borealis.address("203.0.113.1"))
    revoked = cobalt.indicator()
    store(cobalt, revoked, cobalt.next_version(revoked, revoked=True))
    assert aurora.publish(aurora.signed(waiting))[0].status is OutcomeStatus.HELD
    told = aurora.indicator(name="marker-told")
    store(aurora, told)
    store(aurora, aurora.next_version(told, object_marking_refs=[Tlp.RED.marking_id]))
    store(aurora, marked(aurora, Tlp.AMBER, marking, name="marker-home"), marked(aurora, Tlp.AMBER))
    late = aurora.indicator(name="marker-late")
    store(aurora, late)
    refs = [Tlp.AMBER.marking_id, WAITED_FOR]
    assert aurora.publish(aurora.signed(aurora.next_version(late, revoked=True, object_marking_refs=refs)))[
        0
    ].status is (OutcomeStatus.HELD)
    create_collection(actor=OPERATOR, alias="leak", title="Leak", public=True)
    delete_object(principal=aurora.principal, stix_id=gone["id"])
    held_key = create_exchange_key(actor=OPERATOR, lab=borealis.lab)
    identity = next_identity(
        borealis, add=[held_key.public(nbf=seconds_now(), custody="exchange")], signers=[borealis.keys.root, held_key]
    )
    assert borealis.publish(identity)[0].status is OutcomeStatus.STORED
    create_exchange_key(actor=OPERATOR, lab=cobalt.lab)
    admit_lab("dune")
    suspend_lab(actor=OPERATOR, slug="dune")
    return settled_community


WAITED_FOR = "marking-definition--99999999-2222-4333-8444-555555555555"
NARROW = "(SELECT id FROM version WHERE body LIKE '%%marker-narrow%%' ORDER BY id LIMIT 1)"
FIRST = "(SELECT id FROM version WHERE body LIKE '%%marker-first%%' ORDER BY id LIMIT 1)"
PUBLIC = "(SELECT id FROM audience WHERE anonymous)"


EVERY_LAB = "(SELECT id FROM audience WHERE label = 2 AND every_lab AND NOT anonymous)"
NOTE = "(SELECT id FROM version WHERE body LIKE '%%no longer available%%' ORDER BY id LIMIT 1)"
REVOKED = "(SELECT id FROM object WHERE state = 'revoked' ORDER BY id LIMIT 1)"
LATE = "(SELECT object_id FROM version WHERE body LIKE '%%marker-late%%' ORDER BY id LIMIT 1)"
HOME = "(SELECT object_id FROM version WHERE body LIKE '%%marker-home%%' ORDER BY id LIMIT 1)"


def to_audience(version: str, audience: str, more: str = "") -> str:
    """Give a version other readers in every table at once."""
    return (
        f"WITH v AS (UPDATE version SET audience_id = {audience}{more} WHERE id = {version}),"
        f" o AS (UPDATE object SET newest_audience_id = {audience} WHERE newest_version_id = {version})"
        f" UPDATE entry SET audience_id = {audience}, newest_audience_id = {audience} WHERE version_id = {version}"
    )


def to_collection(stix_object: str, alias: str) -> str:
    """Move an object in every table at once."""
    collection = f"(SELECT id FROM collection WHERE alias = '{alias}')"
    return (
        f"WITH o AS (UPDATE object SET home_collection_id = {collection} WHERE id = {stix_object})"
        f" UPDATE entry SET collection_id = {collection} WHERE object_id = {stix_object}"
    )


DAMAGED = (
    "version",
    "version_key",
    "entry",
    "leaf",
    "object",
    "audience",
    "signing_key",
    "held",
    "sequencer",
    "reference",
    "facet",
    "collection",
    "collection_grant",
)


@pytest.fixture(scope="module")
def kept(busy: Community) -> Iterator[None]:
    """The tables as they are when all is well, kept beside them."""
    for table in DAMAGED:
        as_owner(f"CREATE UNLOGGED TABLE kept_{table} AS TABLE {table}")
    yield
    for table in DAMAGED:
        as_owner(f"DROP TABLE kept_{table}")


@pytest.fixture
def undone(kept: None) -> Iterator[None]:
    """Takes the damage away again."""
    yield
    with transaction.atomic(using="owner"):
        as_owner("SET CONSTRAINTS ALL DEFERRED")
        for table in DAMAGED:
            as_owner(f"DELETE FROM {table}")
            as_owner(f"INSERT INTO {table} TABLE kept_{table}")


def kinds(report: Report) -> set[str]:
    return {fault.kind for fault in report.faults}


def test_everything_that_services_do_leaves_a_sound_exchange(busy: Community) -> None:
    report = check_exchange()
    assert report.faults == []
    assert report.is_sound
    assert report.checked["versions"] == as_owner("SELECT count(*) FROM version")[0][0]
    assert report.checked["entries"] == as_owner("SELECT count(*) FROM entry")[0][0]
    assert report.checked["leaves"] == as_owner("SELECT count(*) FROM leaf")[0][0]
    assert report.checked["keys"] == as_owner("SELECT count(*) FROM signing_key")[0][0]


CORRUPTIONS: dict[str, tuple[str, set[str]]] = {
    "a flipped byte of the text": (
        f"UPDATE version SET body = overlay(body placing 'M'::bytea from position('marker-first'::bytea in body))"
        f" WHERE id = {FIRST}",
        {"digest", "version"},
    ),
    "a flipped byte of the signature": (
        "UPDATE version SET body = convert_to(regexp_replace(convert_from(body, 'UTF8'),"
        " '\"signature\":\"...', '\"signature\":\"AAA'), 'UTF8')"
        f" WHERE id = {FIRST}",
        {"version"},
    ),
    "a body cut short": (f"UPDATE version SET body = substring(body for 100) WHERE id = {FIRST}", {"version"}),
    "another version's body": (
        f"UPDATE version SET body = (SELECT body FROM version WHERE id = {NARROW}) WHERE id = {FIRST}",
        {"version", "digest"},
    ),
    "another digest": (
        f"UPDATE version SET digest = sha256('x') WHERE id = {FIRST}",
        {"digest", "version-key", "leaf"},
    ),
    "another label": (f"UPDATE version SET label = 0 WHERE id = {NARROW}", {"label"}),
    "a widened entry": (f"UPDATE entry SET audience_id = {PUBLIC} WHERE version_id = {NARROW}", {"audience"}),
    "a widened newest audience": (
        f"UPDATE entry SET newest_audience_id = {PUBLIC} WHERE version_id = {NARROW}",
        {"audience"},
    ),
    "a widened object": (
        f"UPDATE object SET newest_audience_id = {PUBLIC} WHERE newest_version_id = {NARROW}",
        {"audience"},
    ),
    "an object without an audience": (
        f"UPDATE object SET newest_audience_id = NULL WHERE newest_version_id = {NARROW}",
        {"audience"},
    ),
    "a widened version, entry and object": (
        f"WITH v AS (UPDATE version SET audience_id = {PUBLIC} WHERE id = {NARROW}),"
        f" o AS (UPDATE object SET newest_audience_id = {PUBLIC} WHERE newest_version_id = {NARROW})"
        f" UPDATE entry SET audience_id = {PUBLIC}, newest_audience_id = {PUBLIC} WHERE version_id = {NARROW}",
        {"audience"},
    ),
    "a version, entry and object without their distribution": (
        to_audience(NARROW, EVERY_LAB, more=", distribution = ''"),
        {"audience", "distribution"},
    ),
    "a note for everybody": (to_audience(NOTE, PUBLIC), {"audience"}),
    "a note for every lab": (to_audience(NOTE, EVERY_LAB), {"audience"}),
    "a note for somebody unknown": (
        "WITH a AS (INSERT INTO audience (digest, label, anonymous, every_lab, every_client, labs, clients, persons,"
        " owner) VALUES ('x', 2, false, false, false, '{identity--x}', '{}', '{}', '') RETURNING id) "
        + to_audience(NOTE, "(SELECT id FROM a)").replace("WITH v", ", v"),
        {"audience"},
    ),
    "a note in another collection": (
        to_collection(f"(SELECT object_id FROM version WHERE id = {NOTE})", "feedback"),
        {"withdrawal"},
    ),
    "a held version with readers": (
        f"UPDATE version SET audience_id = {EVERY_LAB} WHERE id = (SELECT min(version_id) FROM held)",
        {"audience"},
    ),
    "a version that is held without a need": (
        f"WITH o AS (UPDATE object SET newest_version_id = NULL, newest_audience_id = NULL WHERE id = {HOME}),"
        f" e AS (DELETE FROM entry WHERE object_id = {HOME})"
        " INSERT INTO held (version_id, object_id, missing_marking, held_since)"
        f" SELECT id, object_id, distribution, now() FROM version WHERE object_id = {HOME}",
        {"held", "audience"},
    ),
    "the version before a held one back in view": (
        f"WITH o AS (UPDATE object SET newest_audience_id = v.audience_id FROM version v WHERE object.id = {LATE}"
        " AND v.id = object.newest_version_id)"
        f" UPDATE entry SET newest_audience_id = audience_id WHERE object_id = {LATE}",
        {"audience"},
    ),
    "a held revocation that does not count": (
        f"UPDATE object SET state = 'current', revoked_at = NULL WHERE id = {LATE}",
        {"state"},
    ),
    "a revoked object that is current again": (
        f"UPDATE object SET state = 'current', revoked_at = NULL WHERE id = {REVOKED}",
        {"state"},
    ),
    "a revocation at another time": (
        f"UPDATE object SET revoked_at = revoked_at - interval '1 day' WHERE id = {REVOKED}",
        {"state"},
    ),
    "a current object with the time of a revocation": (
        f"UPDATE object SET revoked_at = now() WHERE id = {HOME}",
        {"state"},
    ),
    "an object revoked by nobody": (
        f"UPDATE object SET state = 'revoked', revoked_at = now() WHERE id = {HOME}",
        {"state"},
    ),
    "a revocation that the log does not tell of": (
        "UPDATE leaf SET operation = 'publish' WHERE operation = 'revoke'",
        {"leaf"},
    ),
    "an object moved to a public collection": (to_collection(HOME, "leak"), {"home"}),
    "an object moved to where its producer may do nothing": (
        to_collection(HOME, "feedback").replace(
            "WITH o",
            "WITH g AS (DELETE FROM collection_grant WHERE collection_id ="
            " (SELECT id FROM collection WHERE alias = 'feedback')), o",
        ),
        {"home"},
    ),
    "an object moved to a view": (to_collection(HOME, "all"), {"home"}),
    "an object below the floor of its collection": (
        "UPDATE collection SET floor = 3 WHERE alias = 'signatures'",
        {"home"},
    ),
    "an entry that calls itself shared": (
        f"UPDATE entry SET is_shared = true WHERE version_id = {FIRST}",
        {"shared", "entry-missing"},
    ),
    "a second place in the home collection": (
        "INSERT INTO entry (seq, collection_id, date_added, version_id, object_id, type, audience_id,"
        " newest_audience_id, is_newest, is_first) SELECT seq + 100000, collection_id, date_added + interval '1 day',"
        " version_id, object_id, type, audience_id, newest_audience_id, is_newest, is_first"
        f" FROM entry WHERE version_id = {FIRST}",
        {"shared"},
    ),
    "a removed reference": (
        "DELETE FROM reference WHERE id = (SELECT min(id) FROM reference)",
        {"reference"},
    ),
    "a reference to something else": (
        "UPDATE reference SET target_stix_id = 'indicator--x' WHERE id = (SELECT max(id) FROM reference)",
        {"reference"},
    ),
    "a reference of nothing": (
        "INSERT INTO reference (version_id, property, target_stix_id) VALUES (999999, 'x_ref', 'indicator--x')",
        {"reference"},
    ),
    "a removed marking": (
        "UPDATE object SET stix_id = 'marking-definition--00000000-2222-4333-8444-555555555555'"
        f" WHERE stix_id = (SELECT distribution FROM version WHERE id = {NARROW})",
        {"marking"},
    ),
    "a widened audience row": (
        f"UPDATE audience SET every_lab = true WHERE id = (SELECT audience_id FROM version WHERE id = {NARROW})",
        {"audience"},
    ),
    "a recipient added to an audience row": (
        "UPDATE audience SET labs = labs || '{identity--x}' WHERE id ="
        f" (SELECT audience_id FROM version WHERE id = {NARROW})",
        {"audience"},
    ),
    "another distribution": (f"UPDATE version SET distribution = '' WHERE id = {NARROW}", {"distribution"}),
    "a reordered date": (
        f"UPDATE entry SET date_added = date_added - interval '1 hour' WHERE version_id = {NARROW}",
        {"order"},
    ),
    "a date after the sequencer's": (
        "UPDATE entry SET date_added = date_added + interval '1 hour' WHERE seq = (SELECT max(seq) FROM entry)",
        {"sequencer"},
    ),
    "a sequencer set back": ("UPDATE sequencer SET last_seq = last_seq - 1", {"sequencer"}),
    "a missing leaf of a version": (f"DELETE FROM leaf WHERE version_id = {FIRST}", {"leaf-missing"}),
    "a missing leaf of a deletion": ("DELETE FROM leaf WHERE operation = 'delete'", {"leaf-missing"}),
    "a missing leaf of a suspension": ("DELETE FROM leaf WHERE operation = 'lab-suspended'", {"leaf-missing"}),
    "an altered leaf": (f"UPDATE leaf SET data = data || ' '::bytea WHERE version_id = {FIRST}", {"leaf"}),
    "an altered salt": (f"UPDATE leaf SET salt = sha256('x') WHERE version_id = {FIRST}", {"leaf"}),
    "a leaf of another version": (
        f"UPDATE leaf SET (data, record, salt) = (SELECT data, record, salt FROM leaf WHERE version_id = {NARROW})"
        f" WHERE version_id = {FIRST}",
        {"leaf"},
    ),
    "an altered leaf in clear": (
        "UPDATE leaf SET record = replace(convert_from(record, 'UTF8'), 'dune', 'duna')::bytea"
        " WHERE operation = 'lab-suspended'",
        {"leaf"},
    ),
    "a leaf that was emptied": (f"UPDATE leaf SET salt = NULL, record = NULL WHERE version_id = {FIRST}", {"leaf"}),
    "another public key": (
        "UPDATE signing_key SET x = (SELECT x FROM signing_key o WHERE o.kid <> signing_key.kid LIMIT 1)"
        f" WHERE kid = (SELECT kid FROM version WHERE id = {FIRST})",
        {"key-differs", "version"},
    ),
    "a kid of another key": (
        f"UPDATE version SET kid = (SELECT kid FROM signing_key WHERE use = 'root' LIMIT 1) WHERE id = {FIRST}",
        {"wrong-key"},
    ),
    "a key given to another lab": (
        "UPDATE signing_key SET lab_id = (SELECT id FROM lab WHERE slug = 'cobalt')"
        f" WHERE kid = (SELECT kid FROM version WHERE id = {FIRST})",
        {"chain", "wrong-key"},
    ),
    "a key made valid again": (
        f"UPDATE signing_key SET exp = exp + 1 WHERE kid = (SELECT kid FROM version WHERE id = {FIRST})",
        {"key-differs"},
    ),
    "a removed key": (
        f"DELETE FROM signing_key WHERE kid = (SELECT kid FROM version WHERE id = {FIRST})",
        {"key-missing", "wrong-key"},
    ),
    "a damaged sealed key": (
        "UPDATE signing_key SET sealed = overlay(sealed placing 'xx'::bytea from 40) WHERE sealed IS NOT NULL",
        {"sealed-key"},
    ),
    "sealed keys that were exchanged": (
        "UPDATE signing_key s SET sealed = (SELECT o.sealed FROM signing_key o"
        " WHERE o.sealed IS NOT NULL AND o.kid <> s.kid LIMIT 1) WHERE s.sealed IS NOT NULL",
        {"sealed-key"},
    ),
    "a removed version": (f"DELETE FROM version WHERE id = {FIRST}", {"version-missing"}),
    "a removed version key": (f"DELETE FROM version_key WHERE version_id = {FIRST}", {"version-key"}),
    "a version key of nothing": (
        f"UPDATE version_key SET version_id = 999999 WHERE version_id = {FIRST}",
        {"version-missing", "version-key"},
    ),
    "another version key": (
        f"UPDATE version_key SET version_key = '2020-01-01T00:00:00.' WHERE version_id = {FIRST}",
        {"version-key"},
    ),
    "a removed entry": (f"DELETE FROM entry WHERE version_id = {FIRST}", {"entry-missing"}),
    "an old version as the newest": (
        f"UPDATE entry SET is_newest = (version_id = {FIRST})"
        f" WHERE object_id = (SELECT object_id FROM version WHERE id = {FIRST})",
        {"newest"},
    ),
    "an object set back to an old version": (
        f"WITH o AS (UPDATE object SET newest_version_id = {FIRST},"
        f" newest_audience_id = (SELECT audience_id FROM version WHERE id = {FIRST})"
        f" WHERE id = (SELECT object_id FROM version WHERE id = {FIRST}))"
        f" UPDATE entry SET is_newest = (version_id = {FIRST}),"
        f" newest_audience_id = (SELECT audience_id FROM version WHERE id = {FIRST})"
        f" WHERE object_id = (SELECT object_id FROM version WHERE id = {FIRST})",
        {"newest"},
    ),
    "another first version": (
        f"UPDATE entry SET is_first = NOT is_first WHERE version_id = {FIRST}",
        {"first"},
    ),
    "an entry in another collection": (
        "UPDATE entry SET collection_id = (SELECT id FROM collection WHERE alias = 'feedback')"
        f" WHERE version_id = {NARROW}",
        {"home"},
    ),
    "another type": (f"UPDATE entry SET type = 'report' WHERE version_id = {NARROW}", {"type"}),
    "a held version that is shown": (
        f"UPDATE held SET version_id = {NARROW} WHERE id = (SELECT min(id) FROM held)",
        {"held", "entry-missing"},
    ),
    "a deleted object that is back": (
        f"UPDATE object SET state = 'deleted' WHERE newest_version_id = {NARROW}",
        {"deleted"},
    ),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_each_planted_corruption_is_found(busy: Community, undone: None, corruption: str) -> None:
    statement, expected = CORRUPTIONS[corruption]
    as_owner(statement)
    report = check_exchange()
    assert not report.is_sound
    assert expected <= kinds(report), report.faults
    assert all(fault.where and fault.detail for fault in report.faults)


def test_a_key_that_no_identity_names_is_found_with_what_it_signed(busy: Community, undone: None) -> None:
    aurora = busy.aurora
    thief = SigningKey.generate("sig")
    as_owner(
        "INSERT INTO signing_key (kid, lab_id, use, x, custody, nbf, first_seen_at)"
        " VALUES (%s, %s, 'sig', %s, 'lab', 1, now())",
        thief.kid,
        aurora.lab.id,
        thief.x,
    )
    body = canonicalize(sign(aurora.indicator(), thief, seconds_now()))
    assert aurora.publish(body)[0].status is OutcomeStatus.STORED
    assert "key-stray" in kinds(check_exchange())


def test_the_damage_was_undone(busy: Community) -> None:
    assert check_exchange().faults == []
