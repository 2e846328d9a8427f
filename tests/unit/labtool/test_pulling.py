"""Pulling: what verifies is stored as received, what does not is put aside, and a killed pull goes on."""

import json
import stat
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from exchange.labtool.budget import Budget
from exchange.labtool.client import NodeClient
from exchange.labtool.errors import DataError, RefusedError
from exchange.labtool.pins import NO_PINS, Pins
from exchange.labtool.pulling import PullReport, pull
from exchange.stix.fixed import WITHDRAWAL_EXTENSION, fixed_object
from exchange.stix.keys import unix_seconds
from exchange.stix.limits import MAX_OBJECT_BYTES
from exchange.stix.markings import Tlp
from tests.unit.labtool.material import EARLIER, NOW, Party, address, indicator, party, pins_of, withdrawal
from tests.unit.labtool.small_node import TOKEN, Answer, SmallNode


class Puller:
    """Pulls into one folder, at a time that the test sets."""

    def __init__(self, client: NodeClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.now: datetime = NOW

    def __call__(
        self,
        pins: Pins,
        collection: str = "signatures",
        *,
        page: int = 1000,
        from_start: bool = False,
        budget: Budget | None = None,
    ) -> PullReport:
        return pull(
            self.client.feed(),
            self.folder,
            pins,
            collection=collection,
            page_objects=page,
            from_start=from_start,
            budget=budget,
            clock=lambda: self.now,
        )

    def stored(self) -> set[bytes]:
        return {path.read_bytes() for path in (self.folder / "objects").rglob("*.json")}

    def quarantined(self) -> dict[bytes, str]:
        files = [path for path in (self.folder / "quarantine").glob("*.json") if "reason" not in path.name]
        return {path.read_bytes(): json.loads(path.with_suffix(".reason.json").read_text())["reason"] for path in files}

    def withdrawn(self) -> set[bytes]:
        files = (self.folder / "withdrawn").rglob("*.json")
        return {path.read_bytes() for path in files if "reason" not in path.name}


@pytest.fixture
def puller(client: NodeClient, tmp_path: Path) -> Puller:
    return Puller(client, tmp_path / "pulled")


def test_verified_objects_are_stored_byte_for_byte(node: SmallNode, puller: Puller, aurora: Party) -> None:
    spaced = json.dumps(json.loads(aurora.indicator()), indent=3).encode()
    fixed = fixed_object(Tlp.GREEN.marking_id)
    node.add("identities", aurora.identity)
    node.add("signatures", fixed, spaced, aurora.sign(address()))

    report = puller(aurora.pins)

    assert report.is_clean
    assert (report.received, report.verified, report.stored) == (4, 4, 4)
    assert report.labs == {"aurora": 3, "fixed": 1}
    assert {spaced, fixed, aurora.identity} <= puller.stored()


def test_objects_of_an_unpinned_lab_lie_only_in_quarantine(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party
) -> None:
    good, unpinned = aurora.indicator(), borealis.indicator()
    node.add("identities", aurora.identity, borealis.identity)
    node.add("signatures", good, unpinned)

    report = puller(aurora.pins)

    assert not report.is_clean
    assert puller.stored() == {aurora.identity, good}
    assert set(puller.quarantined()) == {borealis.identity, unpinned}
    assert "chain-unpinned" in puller.quarantined()[borealis.identity]
    assert "key-not-pinned" in puller.quarantined()[unpinned]


def test_pinning_a_lab_later_releases_its_objects(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party
) -> None:
    node.add("identities", aurora.identity, borealis.identity)
    node.add("signatures", borealis.indicator())
    puller(aurora.pins)

    report = puller(pins_of(aurora, borealis))

    assert report.is_clean
    assert report.released == 2
    assert len(puller.stored()) == 3


def test_unpinning_a_lab_puts_its_objects_aside(node: SmallNode, puller: Puller, aurora: Party) -> None:
    node.add("identities", aurora.identity)
    node.add("signatures", aurora.indicator())
    puller(aurora.pins)

    assert puller(NO_PINS).quarantined == 2
    assert puller.stored() == set()


def test_altered_foreign_unsigned_and_broken_objects_are_quarantined(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party
) -> None:
    altered = aurora.indicator().replace(b"Harness", b"Hairnet")
    foreign = aurora.sign(indicator(borealis.id))
    unsigned = json.dumps(indicator(aurora.id)).encode()
    duplicate_names = aurora.indicator().replace(b'{"type"', b'{"name": "x", "type"', 1)
    not_an_object = b'"text"'
    changed_fixed = fixed_object(Tlp.GREEN.marking_id).replace(b"2022", b"2023")
    bad = [altered, foreign, unsigned, duplicate_names, not_an_object, changed_fixed]
    node.add("identities", aurora.identity, borealis.identity)
    node.add("signatures", *bad)

    report = puller(pins_of(aurora, borealis))

    assert report.quarantined == len(bad)
    reasons = puller.quarantined()
    assert set(reasons) == set(bad)
    assert "signature-wrong" in reasons[altered]
    assert "signature-creator" in reasons[foreign]
    assert "signature-missing" in reasons[unsigned]
    assert "duplicate-name" in reasons[duplicate_names]


@pytest.mark.parametrize(
    "hostile_id",
    ["../../../../etc/cron.d/x", "indicator--../../x", "indicator--\x00", "/etc/passwd", "indicator--" + "a" * 500],
)
def test_hostile_ids_write_nothing_outside_quarantine(
    node: SmallNode, puller: Puller, aurora: Party, tmp_path: Path, hostile_id: str
) -> None:
    node.add("identities", aurora.identity)
    node.add("signatures", aurora.indicator(id=hostile_id), aurora.indicator(modified="../../x"))

    report = puller(aurora.pins)

    assert report.quarantined == 2
    assert puller.stored() == {aurora.identity}
    assert [path.name for path in tmp_path.iterdir()] == ["pulled"]


def test_a_pull_that_broke_off_goes_on_where_it_stopped(node: SmallNode, puller: Puller, aurora: Party) -> None:
    objects = [aurora.indicator() for _ in range(7)]
    node.add("identities", aurora.identity)
    node.add("signatures", *objects)
    feed_pages = 0

    def stop_after_two(report: PullReport) -> None:
        nonlocal feed_pages
        feed_pages += 1
        if feed_pages == 3:  # the first page holds the identities
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(
            puller.client.feed(),
            puller.folder,
            aurora.pins,
            collection="signatures",
            page_objects=2,
            clock=lambda: NOW,
            on_page=stop_after_two,
        )
    assert len(puller.stored()) == 1 + 4

    report = puller(aurora.pins, page=2)

    assert report.received == 3
    assert puller.stored() == {aurora.identity, *objects}


@pytest.mark.parametrize("budget", [Budget(objects=4), Budget(size_bytes=4000), Budget(answers=3)])
def test_a_pull_that_has_taken_what_it_may_says_so_and_the_next_goes_on(
    node: SmallNode, puller: Puller, aurora: Party, budget: Budget
) -> None:
    objects = {aurora.indicator() for _ in range(12)}
    node.add("identities", aurora.identity)
    node.add("signatures", *objects)

    first = puller(aurora.pins, page=2, budget=replace(budget))
    assert "pull again" in first.stopped
    assert 0 < first.stored < 12

    second = puller(aurora.pins, page=2)
    assert second.stopped == ""
    assert second.received == 13 - first.received
    assert objects < puller.stored()


def test_a_node_that_sends_something_new_for_ever_is_left(node: SmallNode, puller: Puller, aurora: Party) -> None:
    numbers = iter(range(10_000))

    class Endless(Answer):
        """One object more each time, later than the one before."""

        @property
        def body(self) -> bytes:
            number = next(numbers)
            self.headers["X-TAXII-Date-Added-Last"] = f"2026-11-01T00:00:00.{number:06}Z"
            return json.dumps({"more": True, "next": str(number), "objects": [{"n": number}]}).encode()

        @body.setter
        def body(self, value: bytes) -> None:
            """Ignore what the dataclass sets."""

    node.add("identities", aurora.identity)
    node.answers[node.objects_path("signatures")] = Endless()

    report = puller(aurora.pins, budget=Budget(answers=20))

    assert "no more answers" in report.stopped
    assert report.received == 20


def test_what_is_pulled_is_for_its_owner_alone_also_in_a_folder_that_was_there(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party
) -> None:
    puller.folder.mkdir(mode=0o755)
    (puller.folder / "objects").mkdir(mode=0o755)
    node.add("identities", aurora.identity)
    node.add("signatures", aurora.indicator(), borealis.indicator())

    puller(aurora.pins)

    paths = [puller.folder, *puller.folder.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}


def test_an_object_that_is_too_large_stays_in_quarantine_and_stops_no_later_pull(
    node: SmallNode, puller: Puller, aurora: Party
) -> None:
    huge = aurora.indicator(description="x" * MAX_OBJECT_BYTES)
    node.add("identities", aurora.identity)
    node.add("signatures", huge)

    assert puller(aurora.pins).quarantined == 1
    assert puller(aurora.pins).quarantined == 1
    assert "too-large" in puller.quarantined()[huge]


def test_pages_without_next_are_followed_by_date(node: SmallNode, puller: Puller, aurora: Party) -> None:
    node.gives_next = False
    objects = {aurora.indicator() for _ in range(5)}
    node.add("identities", aurora.identity)
    node.add("signatures", *objects)

    assert puller(aurora.pins, page=2).stored == 6
    assert objects < puller.stored()


def test_pulling_again_changes_nothing(node: SmallNode, puller: Puller, aurora: Party) -> None:
    node.add("identities", aurora.identity)
    node.add("signatures", aurora.indicator())
    puller(aurora.pins)
    before = puller.stored()

    again = puller(aurora.pins)
    anew = puller(aurora.pins, from_start=True)

    assert (again.received, again.stored) == (0, 0)
    assert (anew.received, anew.stored) == (2, 0)
    assert puller.stored() == before


def test_a_refused_place_says_how_to_start_again(node: SmallNode, puller: Puller, aurora: Party) -> None:
    node.add("identities", aurora.identity)
    node.add("signatures", aurora.indicator())
    puller(aurora.pins)
    node.answers[node.objects_path("signatures")] = Answer(400, b'{"title": "start again"}')

    with pytest.raises(RefusedError, match="--from-start"):
        puller(aurora.pins)


def test_another_body_of_a_known_version_is_a_conflict(node: SmallNode, puller: Puller, aurora: Party) -> None:
    members = indicator(aurora.id)
    first, second = aurora.sign(members), aurora.sign({**members, "name": "Another body"})
    node.add("identities", aurora.identity)
    node.add("signatures", first, second)

    report = puller(aurora.pins)

    assert report.quarantined == 1
    assert "Another body" in puller.quarantined()[second]
    assert first in puller.stored()


def test_the_same_version_signed_again_is_no_conflict_and_the_first_bytes_stay(
    node: SmallNode, puller: Puller, aurora: Party
) -> None:
    members = indicator(aurora.id)
    first, again = aurora.sign(members), aurora.sign(members, at=NOW)
    node.add("identities", aurora.identity)
    node.add("signatures", first, again)

    assert puller(aurora.pins).is_clean
    assert puller.stored() == {aurora.identity, first}


def test_observables_of_two_labs_stand_side_by_side(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party
) -> None:
    ours, theirs = aurora.sign(address()), borealis.sign(address())
    node.add("identities", aurora.identity, borealis.identity)
    node.add("signatures", ours, theirs)

    assert puller(pins_of(aurora, borealis)).is_clean
    assert {ours, theirs} < puller.stored()


def test_a_lab_cannot_occupy_the_id_of_another(node: SmallNode, puller: Puller, aurora: Party, borealis: Party) -> None:
    object_id = "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
    ours, squatter = aurora.indicator(id=object_id), borealis.indicator(id=object_id)
    node.add("identities", aurora.identity, borealis.identity)
    node.add("signatures", squatter, ours)

    assert puller(pins_of(aurora, borealis)).is_clean
    assert {ours, squatter} < puller.stored()


def test_a_revoked_version_moves_older_ones_aside(node: SmallNode, puller: Puller, aurora: Party) -> None:
    members = indicator(aurora.id)
    first = aurora.sign(members)
    revoked = aurora.sign({**members, "modified": "2026-11-22T00:00:01.000Z", "revoked": True})
    node.add("identities", aurora.identity)
    node.add("signatures", first)
    puller(aurora.pins)
    node.add("signatures", revoked)

    report = puller(aurora.pins)

    assert report.withdrawn == 1
    assert puller.stored() == {aurora.identity, revoked}
    assert puller.withdrawn() == {first}


def test_versions_around_a_revocation_in_any_order(node: SmallNode, puller: Puller, aurora: Party) -> None:
    members = indicator(aurora.id)
    revoked = aurora.sign({**members, "modified": "2026-11-22T00:00:01.000Z", "revoked": True})
    after = aurora.sign({**members, "modified": "2026-11-22T00:00:02.000Z"})
    node.add("identities", aurora.identity)
    node.add("signatures", revoked, after, aurora.sign(members))

    puller(aurora.pins)

    assert puller.stored() == {aurora.identity, revoked}
    assert puller.withdrawn() == {aurora.sign(members)}
    assert set(puller.quarantined()) == {after}


@pytest.mark.parametrize("state", ["narrowed", "deleted", "suspended", "revoked"])
def test_a_withdrawal_note_of_the_node_moves_the_object_aside(
    node: SmallNode, puller: Puller, aurora: Party, node_one: Party, state: str
) -> None:
    object_id = "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
    first = aurora.indicator(id=object_id)
    note = withdrawal(node_one, object_id, aurora, state)
    node.add("identities", aurora.identity, node_one.identity)
    node.add("signatures", first, note)

    report = puller(pins_of(aurora, node_one))

    assert report.withdrawn == 1
    assert first not in puller.stored()
    assert note in puller.stored()
    assert puller.withdrawn() == {first}


def test_a_suspended_object_comes_back_when_the_node_says_so(
    node: SmallNode, puller: Puller, aurora: Party, node_one: Party
) -> None:
    object_id = "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
    first = aurora.indicator(id=object_id)
    node.add("identities", aurora.identity, node_one.identity)
    node.add("signatures", first, withdrawal(node_one, object_id, aurora, "suspended"))
    puller(pins_of(aurora, node_one))
    node.add("signatures", withdrawal(node_one, object_id, aurora, "restored"))

    assert puller(pins_of(aurora, node_one)).restored == 1
    assert first in puller.stored()


def test_a_narrowed_object_comes_back_when_it_is_sent_again(
    node: SmallNode, puller: Puller, aurora: Party, node_one: Party
) -> None:
    object_id = "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
    first = aurora.indicator(id=object_id)
    node.add("identities", aurora.identity, node_one.identity)
    node.add("signatures", first, withdrawal(node_one, object_id, aurora, "narrowed"), first)

    puller(pins_of(aurora, node_one))

    assert first in puller.stored()
    assert puller.withdrawn() == set()


def test_a_lab_cannot_withdraw_the_object_of_another(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party
) -> None:
    object_id = "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
    first = aurora.indicator(id=object_id)
    forged = withdrawal(borealis, object_id, aurora, "deleted")
    node.add("identities", aurora.identity, borealis.identity)
    node.add("signatures", first, forged)

    puller(pins_of(aurora, borealis))

    assert first in puller.stored()
    assert "withdrawal-not-by-node" in puller.quarantined()[forged]


def test_a_note_moves_the_copy_of_the_producer_that_it_names_and_no_other(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party, node_one: Party
) -> None:
    ours, rivals = aurora.sign(address()), borealis.sign(address())
    object_id = json.loads(ours)["id"]
    pins = pins_of(aurora, borealis, node_one)
    node.add("identities", aurora.identity, borealis.identity, node_one.identity)
    node.add("signatures", ours, rivals, withdrawal(node_one, object_id, borealis, "suspended"))

    assert puller(pins).withdrawn == 1
    assert puller.withdrawn() == {rivals}
    assert ours in puller.stored()

    node.add("signatures", withdrawal(node_one, object_id, aurora, "restored"))
    assert puller(pins).restored == 0
    node.add("signatures", withdrawal(node_one, object_id, borealis, "restored"))
    assert puller(pins).restored == 1


def test_a_note_that_names_no_producer_moves_nothing(
    node: SmallNode, puller: Puller, aurora: Party, node_one: Party
) -> None:
    first = aurora.sign(address())
    note = json.loads(withdrawal(node_one, json.loads(first)["id"], aurora, "deleted"))
    del note["extensions"][WITHDRAWAL_EXTENSION]["producer"]
    nameless = node_one.sign(note)
    node.add("identities", aurora.identity, node_one.identity)
    node.add("signatures", first, nameless)

    puller(pins_of(aurora, node_one))

    assert first in puller.stored()
    assert "extension-member-missing" in puller.quarantined()[nameless]


def test_a_node_that_is_not_pinned_withdraws_nothing(
    node: SmallNode, puller: Puller, aurora: Party, node_one: Party
) -> None:
    first = aurora.indicator()
    note = withdrawal(node_one, json.loads(first)["id"], aurora, "deleted")
    node.add("identities", aurora.identity, node_one.identity)
    node.add("signatures", first, note)

    puller(aurora.pins)

    assert first in puller.stored()
    assert "key-not-pinned" in puller.quarantined()[note]


def test_a_lab_that_calls_itself_a_node_withdraws_nothing(
    node: SmallNode, puller: Puller, aurora: Party, borealis: Party
) -> None:
    first = aurora.indicator()
    forged = withdrawal(borealis, json.loads(first)["id"], aurora, "deleted")
    renamed = borealis.changing_class("system", at=EARLIER + timedelta(minutes=1))
    node.add("identities", aurora.identity, borealis.identity, renamed)
    node.add("signatures", first, forged)

    puller(pins_of(aurora, borealis))

    assert renamed in puller.stored()
    assert first in puller.stored()
    assert "withdrawal-not-by-node" in puller.quarantined()[forged]


def test_objects_first_seen_after_a_key_was_compromised_are_put_aside(
    node: SmallNode, puller: Puller, aurora: Party
) -> None:
    before, after = aurora.indicator(), aurora.indicator()
    node.add("identities", aurora.identity)
    node.add("signatures", before)
    puller(aurora.pins)
    puller.now = NOW + timedelta(hours=2)
    node.add("signatures", after)
    puller(aurora.pins)
    # Only now does the lab learn since when.
    puller.now = NOW + timedelta(hours=3)
    since = unix_seconds(NOW + timedelta(hours=1))
    node.add("identities", aurora.ending_key(at=NOW + timedelta(hours=3), compromised_since=since))

    report = puller(aurora.pins)

    assert before in puller.stored()
    assert set(puller.quarantined()) == {after}
    assert "signature-key-compromised" in puller.quarantined()[after]
    assert report.quarantined == 1


def test_a_revocation_by_a_thief_is_undone(node: SmallNode, puller: Puller, aurora: Party) -> None:
    members = indicator(aurora.id)
    first = aurora.sign(members)
    thief = aurora.sign({**members, "modified": "2026-11-23T12:30:00.000Z", "revoked": True})
    node.add("identities", aurora.identity)
    node.add("signatures", first)
    puller(aurora.pins)
    puller.now = NOW + timedelta(hours=2)
    node.add("signatures", thief)
    puller(aurora.pins)
    assert first not in puller.stored()
    puller.now = NOW + timedelta(hours=3)
    since = unix_seconds(NOW + timedelta(hours=1))
    node.add("identities", aurora.ending_key(at=NOW + timedelta(hours=3), compromised_since=since))

    puller(aurora.pins)

    assert first in puller.stored()
    assert set(puller.quarantined()) == {thief}


def test_a_dated_back_signature_of_a_revoked_key_is_refused(node: SmallNode, puller: Puller, aurora: Party) -> None:
    ended = aurora.ending_key(at=NOW, revoked_at=unix_seconds(NOW))
    puller.now = NOW + timedelta(hours=1)
    node.add("identities", aurora.identity, ended)
    node.add("signatures", aurora.sign(indicator(aurora.id), at=EARLIER))

    report = puller(aurora.pins)

    assert report.quarantined == 1
    assert "signature-key-revoked" in next(iter(puller.quarantined().values()))


def test_the_first_seen_time_survives_a_cut_off_journal(node: SmallNode, puller: Puller, aurora: Party) -> None:
    first = aurora.indicator()
    node.add("identities", aurora.identity)
    node.add("signatures", first)
    puller(aurora.pins)
    with (puller.folder / ".state" / "first-seen.jsonl").open("ab") as journal:
        journal.write(b'{"sha256":"00')
    puller.now = NOW + timedelta(hours=1)
    node.add("identities", aurora.ending_key(at=NOW + timedelta(minutes=30), revoked_at=unix_seconds(NOW) + 60))

    assert puller(aurora.pins).is_clean
    assert first in puller.stored()


def test_two_pulls_at_once_are_refused(node: SmallNode, puller: Puller, aurora: Party) -> None:
    def pull_again(_report: PullReport) -> None:
        puller(aurora.pins)

    node.add("identities", aurora.identity)
    with pytest.raises(DataError, match="another pull"):
        pull(
            puller.client.feed(),
            puller.folder,
            aurora.pins,
            collection="identities",
            on_page=pull_again,
            clock=lambda: NOW,
        )


def test_a_folder_follows_one_node(puller: Puller, tmp_path: Path, aurora: Party) -> None:
    puller(aurora.pins)
    with (
        SmallNode() as other,
        NodeClient(other.url, TOKEN, 5.0) as elsewhere,
        pytest.raises(DataError, match="follows"),
    ):
        pull(elsewhere.feed(), puller.folder, aurora.pins, collection="signatures")


def test_a_collection_that_is_not_shown_is_refused(puller: Puller, aurora: Party) -> None:
    with pytest.raises(RefusedError, match="no collection"):
        puller(aurora.pins, "secrets")


def test_an_identity_signed_by_another_root_does_not_replace_ours(
    node: SmallNode, puller: Puller, aurora: Party
) -> None:
    impostor = party("aurora")
    stolen_name = json.loads(impostor.identity)
    stolen_name["id"] = aurora.id
    node.add("identities", aurora.identity, json.dumps(stolen_name).encode())

    assert puller(aurora.pins, "identities").quarantined == 1
    assert puller.stored() == {aurora.identity}


def test_where_old_versions_are_not_served_by_taxii_the_chain_is_completed_by_rest(
    node: SmallNode, puller: Puller, aurora: Party
) -> None:
    renewed, second = aurora.adding_key(at=EARLIER + timedelta(minutes=1))
    old, new = aurora.indicator(), renewed.indicator()
    node.serves_all_versions = False
    node.add("identities", aurora.identity, second)
    node.add("signatures", old, new)

    report = puller(aurora.pins)

    assert report.is_clean, report.reasons
    assert puller.stored() == {aurora.identity, second, old, new}


def test_a_node_that_refuses_all_versions_and_the_place_says_how_to_start_again(
    node: SmallNode, puller: Puller, aurora: Party
) -> None:
    node.add("identities", aurora.identity)
    puller(aurora.pins)
    node.answers[node.objects_path("identities")] = Answer(400, b'{"title": "start again"}')

    with pytest.raises(RefusedError, match="--from-start"):
        puller(aurora.pins)
