"""The rule a second time: what the database itself refuses to the plain role of web and workers."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, ProgrammingError, connection, connections, transaction

from exchange.models import AuditEvent, Delivery
from exchange.services import database as services_database
from exchange.services.database import reading, require_plain_role, writing
from exchange.services.deletion import delete_object
from exchange.services.errors import NotReadyError
from exchange.services.sharing import readable_audiences
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, page_of, store
from tests.support.labs import Community

GUARDED = ("entry", "version", "object", "tombstone")
FOR_WRITERS = ("version_key", "reference", "held", "leaf", "facet")


@pytest.fixture(scope="module")
def stored(settled_community: Community) -> Community:
    """One row at least in every guarded table."""
    aurora = settled_community.aurora
    kept, gone, red, red_gone = (aurora.indicator(label) for label in (Tlp.GREEN, Tlp.GREEN, Tlp.RED, Tlp.RED))
    note = {
        "type": "note",
        "spec_version": "2.1",
        "id": "note--11111111-2222-4333-8444-555555555555",
        "created_by_ref": aurora.identity,
        "created": kept["created"],
        "modified": kept["created"],
        "content": "Seen again.",
        "object_refs": [kept["id"]],
        "object_marking_refs": [Tlp.GREEN.marking_id],
    }
    store(aurora, kept, gone, note, red, red_gone)
    aurora.publish(
        aurora.signed(aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, MISSING_MARKING]))
    )
    for members in (gone, red_gone):
        delete_object(principal=aurora.principal, stix_id=members["id"])
    page_of(aurora.principal)
    for table in (*GUARDED, *FOR_WRITERS, "delivery", "audit"):
        assert as_owner(f"SELECT count(*) FROM {table}")[0][0] > 0, table
    return settled_community


MISSING_MARKING = "marking-definition--99999999-2222-4333-8444-555555555555"


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("table", GUARDED + FOR_WRITERS)
def test_without_a_setting_or_with_an_empty_one_there_are_no_rows(stored: Community, table: str) -> None:
    assert count(table) == 0
    with reading([]):
        assert count(table) == 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('commonwatch.audiences', '', true), set_config('commonwatch.writer', '', true)"
        )
        assert count(table) == 0


@pytest.mark.parametrize("table", GUARDED)
def test_a_foreign_setting_shows_nothing_and_ones_own_shows_ones_own(stored: Community, table: str) -> None:
    with reading([2**31 - 1]):
        assert count(table) == 0
    mine = readable_audiences(stored.borealis.principal)
    with reading(mine):
        seen = count(table)
    assert 0 < seen < as_owner(f"SELECT count(*) FROM {table}")[0][0]
    column = {"entry": "newest_audience_id", "object": "newest_audience_id"}.get(table, "audience_id")
    assert seen == as_owner(f"SELECT count(*) FROM {table} WHERE {column} = ANY (%s)", mine)[0][0]


@pytest.mark.parametrize("table", FOR_WRITERS)
def test_readers_see_no_row_of_the_writers_tables(stored: Community, table: str) -> None:
    with reading(readable_audiences(stored.aurora.principal)):
        assert count(table) == 0


def test_the_view_of_facets_shows_the_reader_of_the_transaction_its_own_and_takes_nothing(stored: Community) -> None:
    mine = readable_audiences(stored.borealis.principal)
    expected = as_owner("SELECT count(*) FROM version WHERE audience_id = ANY (%s)", mine)[0][0]
    everything = as_owner("SELECT count(*) FROM facet")[0][0]
    with reading(mine):
        assert 0 < count("facet_in_sight") == expected < everything
    for audiences in ([], [2**31 - 1]):
        with reading(audiences):
            assert count("facet_in_sight") == 0
    assert count("facet_in_sight") == 0
    with writing():
        assert count("facet_in_sight") == 0, "writers have the table"
    for statement in ("DELETE FROM facet_in_sight", "UPDATE facet_in_sight SET tags = '{}'"):
        with pytest.raises(ProgrammingError, match="permission denied"), writing(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_an_entry_is_seen_only_with_both_of_its_audiences(stored: Community) -> None:
    pairs = as_owner("SELECT DISTINCT audience_id, newest_audience_id FROM entry WHERE NOT is_shared")
    for one, newest in pairs:
        with reading([one]):
            assert (count("entry") > 0) == ((one, one) in pairs)
        with reading([one, newest]):
            assert count("entry") > 0


def test_the_writer_setting_shows_and_changes_every_row_and_ends_with_its_transaction(stored: Community) -> None:
    with writing():
        for table in GUARDED + FOR_WRITERS:
            assert count(table) == as_owner(f"SELECT count(*) FROM {table}")[0][0]
    assert count("version") == 0
    with reading(readable_audiences(stored.aurora.principal)), connection.cursor() as cursor:
        cursor.execute("UPDATE entry SET is_newest = is_newest")
        assert cursor.rowcount == 0
        cursor.execute("DELETE FROM object")
        assert cursor.rowcount == 0
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("INSERT INTO reference (version_id, property, target_stix_id) VALUES (1, 'x', 'y')")


def test_partitions_cannot_be_reached_directly(stored: Community) -> None:
    partitions = [row[0] for row in as_owner("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")]
    assert {name.rpartition("_")[0] for name in partitions} == {"version", "entry", "delivery", "audit"}
    for name in partitions:
        with pytest.raises(ProgrammingError, match="permission denied"), writing():
            count(name)


@pytest.mark.parametrize("table", ["audit", "delivery"])
def test_the_logs_only_grow(stored: Community, table: str) -> None:
    for statement in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(ProgrammingError, match="permission denied"), writing(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AuditEvent.objects.exists()
    assert Delivery.objects.exists()


@pytest.mark.parametrize("table", ["signing_key", "pin", "audience", "lab"])
def test_what_others_rest_on_is_never_removed(stored: Community, table: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), writing(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
        "DROP POLICY readers ON entry",
        "SET ROLE postgres",
        "CREATE TABLE mine (id int)",
        "TRUNCATE entry",
    ],
)
def test_the_plain_role_cannot_lift_the_rule(stored: Community, statement: str) -> None:
    with pytest.raises(DatabaseError), writing(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_setting_that_is_no_list_of_numbers_gives_an_error_and_no_rows(stored: Community) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('commonwatch.audiences', 'all', true)")
        with pytest.raises(DatabaseError, match="malformed array"), transaction.atomic():
            count("entry")


def test_start_up_takes_a_plain_role_and_refuses_the_owner(stored: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    require_plain_role()
    monkeypatch.setattr(services_database, "connection", connections["owner"])
    with pytest.raises(NotReadyError, match="give web and workers a plain role") as caught:
        require_plain_role()
    assert caught.value.code == "database-role"
