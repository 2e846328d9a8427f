"""Large envelopes inside: kept while they arrive, published once batch by batch, as whoever may do so now."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection

from exchange.models import Collection, Grant, PublishingStatus, StagedBatch, StagedEnvelope, StatusPart, Token
from exchange.services.checking import check_exchange
from exchange.services.clock import now
from exchange.services.collections import find_collection
from exchange.services.database import reading, writing
from exchange.services.errors import NotFoundError, NotReadyError, TooLargeError
from exchange.services.labs import suspend_lab
from exchange.services.posted import PostedObject
from exchange.services.principals import OPERATOR
from exchange.services.retention import purge_expired
from exchange.services.staging import Progress, finish_envelope, offer_due_envelopes, room, stage_envelope
from exchange.services.staging.claims import claim_envelope, release_claim
from exchange.services.staging.finish import MAX_TRIES
from exchange.services.staging.stage import ABANDONED_AFTER
from exchange.services.statuses import KEPT_FOR, MAX_LISTED_PENDING, StatusReport, find_status, purge_statuses
from exchange.stix.errors import MalformedJsonError
from exchange.stix.markings import Tlp
from tests.support.labs import Community, LabHandle

Members = dict[str, Any]


def posted(lab: LabHandle, members: Members) -> PostedObject:
    return PostedObject(lab.signed(members), members["id"], members.get("modified") or members.get("created", ""))


def stage(lab: LabHandle, objects: Sequence[Members], *, batch: int = 2, alias: str = "signatures") -> uuid.UUID:
    """Keep an envelope in batches of a few; nobody works on it."""
    principal = lab.principal
    return stage_envelope(
        principal=principal,
        collection=find_collection(principal, alias),
        objects=[posted(lab, each) for each in objects],
        requested_at=now(),
        batch_objects=batch,
    ).id


def status_of(lab: LabHandle, status_id: uuid.UUID) -> StatusReport:
    return find_status(principal=lab.principal, status_id=str(status_id))


def counts(status: StatusReport) -> tuple[int, int, int]:
    return status.success_count, status.failure_count, status.pending_count


def one_batch(status_id: uuid.UUID) -> Progress:
    return finish_envelope(status_id=status_id, turn_s=0)


def let_claim_run_out(status_id: uuid.UUID) -> None:
    """As if the time of a claim had passed."""
    with writing():
        StagedEnvelope.objects.filter(pk=status_id).update(claimed_until=now(), due_at=now())


def staged() -> tuple[int, int]:
    with writing():
        return StagedEnvelope.objects.count(), StagedBatch.objects.count()


def names(details: list[dict[str, str]] | None) -> list[str]:
    return [each["id"] for each in details or []]


def test_progress_is_seen_batch_by_batch_and_the_end_is_that_of_a_small_envelope(community: Community) -> None:
    aurora = community.aurora
    good, bad = [aurora.indicator() for _ in range(4)], aurora.indicator(label=None)
    sent = [*good[:3], bad, good[3]]
    status_id = stage(aurora, sent)
    seen = [status_of(aurora, status_id)]
    while one_batch(status_id) is Progress.GOES_ON:
        seen.append(status_of(aurora, status_id))
    assert [counts(each) for each in seen] == [(0, 0, 5), (2, 0, 3), (3, 1, 1), (4, 1, 0)]
    assert not any(each.is_complete for each in seen)
    assert names(seen[0].pendings) == [each["id"] for each in sent]
    status = status_of(aurora, status_id)
    assert status.is_complete
    assert names(status.successes) == [each["id"] for each in good]
    assert names(status.failures) == [bad["id"]]
    assert "unmarked" in (status.failures or [])[0]["message"]
    assert all("message" not in each for each in status.successes or [])
    assert staged() == (0, 0)
    assert not StatusPart.objects.exists()


def test_what_is_staged_is_in_nobodys_view(community: Community) -> None:
    aurora, borealis, _ = community.labs
    status_id = stage(aurora, [aurora.indicator()])
    with reading([1, 2, 3]):
        assert StagedBatch.objects.count() == StagedEnvelope.objects.count() == 0
    with pytest.raises(DatabaseError, match="row-level security"):
        StagedEnvelope.objects.create(
            status_id=uuid.uuid4(), lab_id=1, token_id=1, collection_id=1, staged_at=now(), is_whole=True
        )
    connection.rollback() if not connection.get_autocommit() else None
    with pytest.raises(NotFoundError):
        status_of(borealis, status_id)
    assert finish_envelope(status_id=status_id) is Progress.COMPLETE


def test_identities_and_markings_come_first_and_outcomes_keep_the_order_sent(community: Community) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    named = [aurora.indicator(Tlp.AMBER, object_marking_refs=refs) for _ in range(3)]
    sent = [*named, marking]
    status_id = stage(aurora, sent, alias="identities")
    # The marking lives where it was posted; so do the indicators, which an envelope may mix.
    assert finish_envelope(status_id=status_id) is Progress.COMPLETE
    status = status_of(aurora, status_id)
    assert names(status.successes) == [each["id"] for each in sent]
    assert all("message" not in each for each in status.successes or []), "something was held"


def test_an_identity_that_brings_new_keys_counts_for_all_of_its_envelope(community: Community) -> None:
    aurora = community.aurora
    again = PostedObject(aurora.keys.identity_bytes, aurora.identity, "")
    objects = [posted(aurora, aurora.indicator()), again]
    principal = aurora.principal
    view = find_collection(principal, "identities")
    status = stage_envelope(principal=principal, collection=view, objects=objects, requested_at=now())
    with writing():
        assert list(StagedBatch.objects.order_by("rank").values_list("rank", flat=True)) == [0, 2]
    finish_envelope(status_id=status.id)
    found = status_of(aurora, status.id)
    assert [each.get("message") for each in found.successes or []] == [None, "exists"]


@pytest.mark.parametrize(
    ("loss", "code"),
    [
        (lambda lab: Token.objects.filter(lab=lab.lab, client=False).update(revoked_at=now()), "not-authenticated"),
        (lambda lab: Token.objects.filter(lab=lab.lab, client=False).update(expires_at=now()), "not-authenticated"),
        (lambda lab: Token.objects.filter(lab=lab.lab, client=False).update(scopes=["read"]), "scope-missing"),
        (
            lambda lab: Token.objects.filter(lab=lab.lab, client=False).update(bounds={"highest_label": "TLP:CLEAR"}),
            "label-above-bound",
        ),
        (
            lambda lab: Token.objects.filter(lab=lab.lab, client=False).update(bounds={"collections": ["feedback"]}),
            "collection-not-found",
        ),
        (lambda lab: suspend_lab(actor=OPERATOR, slug=lab.lab.slug), "not-authenticated"),
        (lambda lab: Grant.objects.filter(lab=lab.lab).update(can_write=False), "not-writable"),
        (lambda lab: Grant.objects.filter(lab=lab.lab).delete(), "collection-not-found"),
    ],
)
def test_a_right_that_is_lost_counts_from_the_next_batch_on(community: Community, loss: Any, code: str) -> None:
    aurora = community.aurora
    sent = [aurora.indicator() for _ in range(5)]
    status_id, grants = stage(aurora, sent), list(Grant.objects.filter(lab=aurora.lab))
    assert one_batch(status_id) is Progress.GOES_ON
    loss(aurora)
    assert finish_envelope(status_id=status_id) is Progress.COMPLETE
    status = PublishingStatus.objects.get(pk=status_id)
    assert names(status.successes) == [each["id"] for each in sent[:2]]
    assert names(status.failures) == [each["id"] for each in sent[2:]]
    assert all(f"[{code}]" in each["message"] for each in status.failures)
    Grant.objects.filter(lab=aurora.lab).delete()
    Grant.objects.bulk_create(grants)


def test_what_was_published_meanwhile_exists_and_is_not_stored_again(community: Community) -> None:
    aurora = community.aurora
    sent = [aurora.indicator() for _ in range(3)]
    first, second = stage(aurora, sent), stage(aurora, sent)
    for status_id in (first, second):
        assert finish_envelope(status_id=status_id) is Progress.COMPLETE
    for status_id, message in ((first, None), (second, "exists")):
        assert [each.get("message") for each in status_of(aurora, status_id).successes or []] == [message] * 3


def test_of_two_workers_given_the_same_envelope_one_works(community: Community) -> None:
    aurora = community.aurora
    status_id = stage(aurora, [aurora.indicator() for _ in range(6)])
    ended: list[Progress] = []

    def work() -> None:
        ended.append(finish_envelope(status_id=status_id))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert sorted(ended) == ["complete", "not ours", "not ours", "not ours"]
    assert counts(status_of(aurora, status_id)) == (6, 0, 0)


def test_a_worker_that_slept_through_its_claim_does_nothing_more(community: Community) -> None:
    aurora = community.aurora
    status_id = stage(aurora, [aurora.indicator() for _ in range(4)])
    sleeper = claim_envelope(status_id)
    assert sleeper is not None
    assert claim_envelope(status_id) is None
    let_claim_run_out(status_id)
    assert finish_envelope(status_id=status_id) is Progress.COMPLETE
    release_claim(sleeper)
    assert status_of(aurora, status_id).is_complete
    assert finish_envelope(status_id=status_id) is Progress.NOT_OURS


def test_a_database_connection_lost_in_a_batch_loses_and_repeats_nothing(community: Community) -> None:
    aurora = community.aurora
    sent = [aurora.indicator() for _ in range(6)]
    status_id = stage(aurora, sent)
    assert one_batch(status_id) is Progress.GOES_ON
    # Whoever publishes waits for this row when the batch is stored, in the middle of its transaction.
    raised: list[BaseException] = []
    with writing(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sequencer FOR UPDATE")

        def work() -> None:
            try:
                finish_envelope(status_id=status_id)
            except DatabaseError as error:
                raised.append(error)
            finally:
                connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive():
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")
            worker.join(0.05)
    assert raised
    assert counts(status_of(aurora, status_id)) == (2, 0, 4)
    assert finish_envelope(status_id=status_id) is Progress.NOT_OURS
    let_claim_run_out(status_id)
    assert finish_envelope(status_id=status_id) is Progress.COMPLETE
    status = status_of(aurora, status_id)
    assert names(status.successes) == [each["id"] for each in sent]
    assert all("message" not in each for each in status.successes or [])


def test_a_batch_at_which_workers_die_again_and_again_is_refused_in_the_end(community: Community) -> None:
    aurora = community.aurora
    sent = [aurora.indicator() for _ in range(4)]
    status_id = stage(aurora, sent)
    for _ in range(MAX_TRIES):
        assert claim_envelope(status_id) is not None
        let_claim_run_out(status_id)
    assert finish_envelope(status_id=status_id) is Progress.COMPLETE
    status = status_of(aurora, status_id)
    assert names(status.failures) == [each["id"] for each in sent[:2]]
    assert "[not-processed]" in (status.failures or [])[0]["message"]
    assert names(status.successes) == [each["id"] for each in sent[2:]]


def test_only_what_is_due_and_unclaimed_is_offered_again(community: Community) -> None:
    aurora = community.aurora
    fresh, claimed, lost = (stage(aurora, [aurora.indicator()]) for _ in range(3))
    let_claim_run_out(lost)
    assert claim_envelope(claimed) is not None
    with writing():
        StagedEnvelope.objects.filter(pk=claimed).update(due_at=now())
    assert offer_due_envelopes() == 1
    assert offer_due_envelopes() == 0
    let_claim_run_out(claimed)
    assert offer_due_envelopes() == 1
    for status_id in (fresh, claimed, lost):
        assert finish_envelope(status_id=status_id) is Progress.COMPLETE


# --- what breaks off, what is too much, what is kept ------------------------------------------------------------------


def test_an_envelope_that_breaks_off_leaves_nothing(community: Community) -> None:
    aurora = community.aurora
    seen: list[tuple[int, int]] = []

    def arriving() -> Iterator[PostedObject]:
        for _ in range(5):
            yield posted(aurora, aurora.indicator())
        seen.append(staged())
        raise MalformedJsonError("syntax", "Not JSON.")

    principal = aurora.principal
    view = find_collection(principal, "signatures")
    with pytest.raises(MalformedJsonError):
        stage_envelope(principal=principal, collection=view, objects=arriving(), requested_at=now(), batch_objects=2)
    assert seen == [(1, 2)]
    assert staged() == (0, 0)
    assert not PublishingStatus.objects.exists()


def test_what_a_killed_web_process_left_is_removed_and_never_published(community: Community) -> None:
    aurora = community.aurora
    status_id = stage(aurora, [aurora.indicator()])
    with writing():
        StagedEnvelope.objects.filter(pk=status_id).update(is_whole=False)
    PublishingStatus.objects.all().delete()
    assert finish_envelope(status_id=status_id) is Progress.NOT_OURS
    assert purge_expired().envelopes == 0
    assert not check_exchange().faults
    assert purge_expired(now() + ABANDONED_AFTER + timedelta(minutes=1)).envelopes == 1
    assert staged() == (0, 0)


def test_an_envelope_that_housekeeping_took_for_abandoned_is_not_taken_in_half(community: Community) -> None:
    aurora = community.aurora

    def slowly() -> Iterator[PostedObject]:
        for _ in range(3):
            yield posted(aurora, aurora.indicator())
        assert purge_expired(now() + ABANDONED_AFTER + timedelta(minutes=1)).envelopes == 1
        yield posted(aurora, aurora.indicator())

    principal = aurora.principal
    view = find_collection(principal, "signatures")
    with pytest.raises(NotReadyError, match="send it again"):
        stage_envelope(principal=principal, collection=view, objects=slowly(), requested_at=now(), batch_objects=2)
    assert staged() == (0, 0)
    assert not PublishingStatus.objects.exists()


def test_a_lab_has_room_for_so_many_envelopes_and_another_lab_for_its_own(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_PENDING_PER_LAB", 2)
    aurora, borealis, _ = community.labs
    ids = [stage(aurora, [aurora.indicator()]) for _ in range(2)]
    with pytest.raises(NotReadyError) as caught:
        stage(aurora, [aurora.indicator()])
    assert caught.value.code == "too-many-pending"
    assert staged()[0] == 2
    ids.append(stage(borealis, [borealis.indicator()]))
    for status_id in ids:
        finish_envelope(status_id=status_id)
    finish_envelope(status_id=stage(aurora, [aurora.indicator()]))


def test_bytes_that_wait_are_bounded_for_a_lab_and_for_all(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    aurora, borealis, _ = community.labs
    size = len(posted(aurora, aurora.indicator()).body)
    monkeypatch.setattr(room, "MAX_STAGED_BYTES_PER_LAB", size * 3)
    with pytest.raises(TooLargeError):
        stage(aurora, [aurora.indicator() for _ in range(4)])
    status_id = stage(aurora, [aurora.indicator() for _ in range(2)])
    with pytest.raises(NotReadyError) as caught:
        stage(aurora, [aurora.indicator() for _ in range(2)])
    assert caught.value.code == "staging-full"
    monkeypatch.setattr(room, "MAX_STAGED_BYTES", size * 3)
    with pytest.raises(NotReadyError):
        stage(borealis, [borealis.indicator() for _ in range(2)])
    assert staged()[0] == 1
    finish_envelope(status_id=status_id)


def test_a_pending_status_is_never_purged_and_a_complete_one_after_a_day(community: Community) -> None:
    aurora = community.aurora
    status_id = stage(aurora, [aurora.indicator()])
    later = now() + KEPT_FOR * 30
    assert purge_statuses(later) == 0
    finish_envelope(status_id=status_id)
    assert purge_statuses(now() + KEPT_FOR - timedelta(minutes=1)) == 0
    assert purge_statuses(later) == 1


def test_very_many_pendings_are_counted_and_not_listed(community: Community) -> None:
    aurora = community.aurora
    bad = aurora.indicator(label=None)
    body = aurora.signed(bad)
    many = (PostedObject(body, bad["id"], bad["modified"]) for _ in range(MAX_LISTED_PENDING + 1))
    principal = aurora.principal
    view = find_collection(principal, "signatures")
    status = stage_envelope(principal=principal, collection=view, objects=many, requested_at=now())
    one_batch(status.id)
    found = status_of(aurora, status.id)
    assert counts(found) == (0, 500, MAX_LISTED_PENDING - 499)
    assert found.successes is found.pendings is None
    assert len(found.failures or []) == 500
    Token.objects.filter(lab=aurora.lab, client=False).update(expires_at=now())
    assert finish_envelope(status_id=status.id, turn_s=60) is Progress.COMPLETE


# --- check_exchange ---------------------------------------------------------------------------------------------------


def test_the_check_finds_statuses_and_staged_envelopes_that_lost_each_other(database: None) -> None:
    from tests.support.labs import make_community

    aurora = make_community().aurora
    status_id, other = stage(aurora, [aurora.indicator()]), stage(aurora, [aurora.indicator()])
    third = stage(aurora, [aurora.indicator() for _ in range(3)])
    assert not check_exchange().faults
    with writing():
        StagedEnvelope.objects.filter(pk=status_id).delete()
        StagedBatch.objects.filter(pk=StagedBatch.objects.filter(envelope_id=third).earliest("id").pk).delete()
    PublishingStatus.objects.filter(pk=other).delete()
    found = {(each.kind, each.where) for each in check_exchange().faults}
    part = StatusPart.objects.filter(status_id=third).earliest("id").pk
    expected = {("staged", f"status {status_id}"), ("staged", f"staged_envelope {other}")}
    assert expected | {("staged", f"status_part {part}")} <= found
    assert Collection.objects.exists()
