"""What a webhook delivers, to whom, and what happens when its target does not take it."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from exchange.labtool.webhooks import WebhookForgedError
from exchange.models import Collection, Delivery, Webhook
from exchange.services.access import authenticate_token
from exchange.services.clock import now
from exchange.services.collections import grant_access
from exchange.services.errors import NotFoundError
from exchange.services.labs import resume_lab, suspend_lab
from exchange.services.outbound import disallow_host
from exchange.services.principals import OPERATOR, Principal
from exchange.services.tokens import issue_token, revoke_token
from exchange.services.webhooks import claim_due, create_webhook, find_webhook, resume_webhook, rotate_secret
from exchange.services.webhooks.settling import GIVE_UP_AFTER
from exchange.stix.markings import Tlp
from exchange.sync.webhooks.delivering import deliver
from tests.support.forms import assert_form
from tests.support.labs import LOOPBACK, Community, LabHandle
from tests.support.receiver import Receiver


def hook_of(principal: Principal, receiver: Receiver, **wanted: Any) -> tuple[str, str]:
    """Public id and secret of a new hook."""
    made = create_webhook(principal=principal, url=receiver.url, **wanted)
    return str(made.hook.public_id), made.secret


def deliver_all() -> None:
    """What the worker does until nothing is due."""
    while claims := claim_due():
        for claim in claims:
            deliver(claim)


def published(lab: LabHandle, *labels: Tlp, **changes: Any) -> list[str]:
    members = [lab.indicator(label, **changes) for label in labels]
    outcomes = lab.publish(*(lab.signed(each) for each in members))
    assert all(outcome.error is None for outcome in outcomes), outcomes
    return [each["id"] for each in members]


def make_due(public_id: str) -> None:
    """Its pause is over."""
    Webhook.objects.filter(public_id=public_id).update(next_attempt_at=now())


def state_of(public_id: str) -> Webhook:
    return Webhook.objects.get(public_id=public_id)


def test_new_objects_are_posted_signed_in_the_form_that_the_schema_says(
    community: Community, receiver: Receiver
) -> None:
    published(community.aurora, Tlp.GREEN)
    public_id, secret = hook_of(community.cobalt.principal, receiver)
    new = published(community.aurora, Tlp.GREEN, Tlp.AMBER)
    deliver_all()
    (request,) = receiver.requests
    assert request.object_ids == new
    assert request.path == "/hook?key=receiver-secret"
    message = request.verified(secret)
    assert message.id == request.id
    body = json.loads(request.body)
    assert_form(body, "WebhookMessage")
    assert body["data"]["webhook"] == public_id
    deliver_all()
    assert len(receiver.requests) == 1


def test_a_message_that_is_old_or_signed_by_another_secret_is_not_believed(
    community: Community, receiver: Receiver
) -> None:
    _, secret = hook_of(community.cobalt.principal, receiver)
    _, other = hook_of(community.borealis.principal, receiver)
    published(community.aurora, Tlp.GREEN)
    deliver_all()
    (mine,) = [each for each in receiver.requests if _is_by(each, secret)]
    with pytest.raises(WebhookForgedError):
        mine.verified(other)
    for late in (timedelta(minutes=6), timedelta(minutes=-6)):
        with pytest.raises(WebhookForgedError):
            mine.verified(secret, now=datetime.now(UTC) + late)


def _is_by(request: Any, secret: str) -> bool:
    try:
        request.verified(secret)
    except WebhookForgedError:
        return False
    return True


def test_what_the_token_may_not_read_is_not_posted_and_moves_nothing_visible(
    community: Community, receiver: Receiver
) -> None:
    aurora = community.aurora
    public_id, _ = hook_of(community.cobalt.client, receiver)
    published(aurora, Tlp.AMBER_STRICT, Tlp.RED)
    deliver_all()
    assert receiver.requests == []
    hook = state_of(public_id)
    assert (hook.pending_since, hook.last_success_at) == (None, None)
    assert not Delivery.objects.filter(door="webhook").exists()
    (green,) = published(aurora, Tlp.GREEN)
    deliver_all()
    assert receiver.object_ids == [green]


def test_types_and_collection_narrow_a_hook(community: Community, receiver: Receiver) -> None:
    aurora = community.aurora
    hook_of(community.cobalt.principal, receiver, collection="attribution", types=["ipv4-addr"])
    published(aurora, Tlp.GREEN)
    address = aurora.address("198.51.100.77")
    assert aurora.publish(aurora.signed(address))[0].error is None
    deliver_all()
    assert receiver.object_ids == [address["id"]]


def test_a_refused_batch_comes_again_under_the_same_id_and_the_place_stays(
    community: Community, receiver: Receiver
) -> None:
    public_id, secret = hook_of(community.cobalt.principal, receiver)
    before = state_of(public_id).watermark
    first = published(community.aurora, Tlp.GREEN)
    receiver.answers = [500, 503]
    deliver_all()
    hook = state_of(public_id)
    assert (hook.watermark, hook.failures, hook.last_failure) == (before, 1, "status-500")
    assert hook.next_attempt_at > now()
    # Not before its pause is over, whatever comes.
    second = published(community.aurora, Tlp.GREEN)
    deliver_all()
    assert len(receiver.requests) == 1
    for _ in range(2):
        make_due(public_id)
        deliver_all()
    ids = [request.id for request in receiver.requests]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert [request.object_ids for request in receiver.requests] == [first, first, first, second]
    for request in receiver.requests:
        request.verified(secret)
    hook = state_of(public_id)
    assert (hook.failures, hook.failing_since, hook.pending_id) == (0, None, "")
    assert hook.watermark > before


def test_a_worker_that_lost_its_claim_while_posting_settles_nothing(community: Community, receiver: Receiver) -> None:
    public_id, _ = hook_of(community.cobalt.principal, receiver)
    published(community.aurora, Tlp.GREEN)

    # The claim goes to another worker in the middle: whatever the first one settles after that counts for nothing.
    receiver.before_answer = lambda: _lose_claim(receiver)
    deliver_all()
    hook = state_of(public_id)
    assert hook.pending_id == receiver.requests[0].id
    assert hook.last_success_at is None
    Webhook.objects.update(claimed_until=None)
    deliver_all()
    assert [request.id for request in receiver.requests] == [hook.pending_id] * 2
    assert state_of(public_id).last_success_at is not None


def _lose_claim(receiver: Receiver) -> None:
    receiver.before_answer = lambda: None
    Webhook.objects.update(claim="00000000-0000-0000-0000-000000000000", claimed_until=now() + timedelta(hours=1))
    connection.close()


def test_a_claim_is_good_once_and_for_one_hook_of_a_lab_at_a_time(community: Community, receiver: Receiver) -> None:
    for _ in range(2):
        hook_of(community.cobalt.principal, receiver)
    hook_of(community.borealis.principal, receiver)
    published(community.aurora, Tlp.GREEN)
    claims = claim_due()
    assert len(claims) == 2
    assert claim_due() == []
    for claim in [*claims, *claims]:
        deliver(claim)
    assert len(receiver.requests) == 2
    deliver_all()
    assert len(receiver.requests) == 3


def test_rights_that_were_lost_between_two_attempts_hold_at_the_second(
    community: Community, receiver: Receiver
) -> None:
    aurora = community.aurora
    public_id, _ = hook_of(community.cobalt.principal, receiver)
    narrowed, kept = aurora.indicator(), aurora.indicator()
    assert all(each.error is None for each in aurora.publish(aurora.signed(narrowed), aurora.signed(kept)))
    receiver.answers = [500]
    deliver_all()
    strict = aurora.next_version(narrowed, object_marking_refs=[Tlp.RED.marking_id])
    assert aurora.publish(aurora.signed(strict))[0].error is None
    make_due(public_id)
    deliver_all()
    assert receiver.requests[0].object_ids == [narrowed["id"], kept["id"]]
    assert receiver.requests[1].id == receiver.requests[0].id
    assert receiver.requests[1].object_ids == [kept["id"]]
    # The withdrawal note follows, in a message of its own.
    assert narrowed["id"] in receiver.requests[2].body.decode()


def test_a_batch_of_which_nothing_is_left_is_not_sent_again(community: Community, receiver: Receiver) -> None:
    aurora = community.aurora
    public_id, _ = hook_of(community.cobalt.principal, receiver, types=["indicator"])
    members = aurora.indicator()
    aurora.publish(aurora.signed(members))
    receiver.answers = [500]
    deliver_all()
    aurora.publish(aurora.signed(aurora.next_version(members, object_marking_refs=[Tlp.RED.marking_id])))
    make_due(public_id)
    deliver_all()
    assert len(receiver.requests) == 1
    assert state_of(public_id).pending_id == ""


def test_a_revoked_token_stops_its_hook(community: Community, receiver: Receiver) -> None:
    cobalt = community.cobalt
    public_id, _ = hook_of(cobalt.principal, receiver)
    revoke_token(principal=cobalt.principal, prefix=cobalt.principal.token_prefix)
    published(community.aurora, Tlp.GREEN)
    deliver_all()
    assert receiver.requests == []
    assert (state_of(public_id).state, state_of(public_id).reason) == ("stopped", "token")


def test_a_suspended_lab_gets_nothing_until_it_is_back(community: Community, receiver: Receiver) -> None:
    public_id, _ = hook_of(community.cobalt.principal, receiver)
    suspend_lab(actor=OPERATOR, slug="cobalt")
    new = published(community.aurora, Tlp.GREEN)
    deliver_all()
    assert receiver.requests == []
    resume_lab(actor=OPERATOR, slug="cobalt")
    deliver_all()
    assert set(new) <= set(receiver.object_ids)
    assert state_of(public_id).state == "active"


def test_a_grant_that_was_taken_away_pauses_the_hook(community: Community, receiver: Receiver) -> None:
    cobalt = community.cobalt
    signatures = Collection.objects.get(alias="signatures")
    public_id, _ = hook_of(cobalt.principal, receiver, collection="signatures")
    grant_access(actor=OPERATOR, collection=signatures, lab=cobalt.lab, can_read=False, can_write=False)
    missed = published(community.aurora, Tlp.GREEN)
    deliver_all()
    assert receiver.requests == []
    assert state_of(public_id).state == "paused"
    with pytest.raises(NotFoundError):
        resume_webhook(principal=cobalt.principal, public_id=public_id)
    grant_access(actor=OPERATOR, collection=signatures, lab=cobalt.lab, can_read=True, can_write=False)
    resume_webhook(principal=cobalt.principal, public_id=public_id)
    deliver_all()
    assert receiver.object_ids == missed


def test_a_target_that_is_gone_stops_the_hook_for_good(community: Community, receiver: Receiver) -> None:
    public_id, _ = hook_of(community.cobalt.principal, receiver)
    published(community.aurora, Tlp.GREEN)
    receiver.answers = [410]
    deliver_all()
    assert (state_of(public_id).state, state_of(public_id).reason) == ("stopped", "gone")
    published(community.aurora, Tlp.GREEN)
    deliver_all()
    assert len(receiver.requests) == 1


def test_a_redirect_is_a_failure_and_is_not_followed(community: Community, receiver: Receiver) -> None:
    public_id, _ = hook_of(community.cobalt.principal, receiver)
    published(community.aurora, Tlp.GREEN)
    receiver.answers, receiver.headers = [307], {"Location": receiver.url.replace("/hook", "/elsewhere")}
    deliver_all()
    assert [request.path for request in receiver.requests] == ["/hook?key=receiver-secret"]
    assert state_of(public_id).last_failure == "status-307"


def test_failing_for_days_pauses_a_hook_which_then_goes_on_where_it_stopped(
    community: Community, receiver: Receiver
) -> None:
    cobalt = community.cobalt
    public_id, _ = hook_of(cobalt.principal, receiver)
    new = published(community.aurora, Tlp.GREEN)
    receiver.answers = [500, 500]
    deliver_all()
    Webhook.objects.update(failing_since=now() - GIVE_UP_AFTER, next_attempt_at=now())
    deliver_all()
    hook = state_of(public_id)
    assert (hook.state, hook.reason) == ("paused", "status-500")
    later = published(community.aurora, Tlp.GREEN)
    deliver_all()
    assert len(receiver.requests) == 2
    resume_webhook(principal=cobalt.principal, public_id=public_id)
    deliver_all()
    assert receiver.requests[2].id == receiver.requests[0].id
    assert receiver.requests[2].object_ids + receiver.requests[3].object_ids == new + later


def test_a_secret_that_changes_signs_beside_the_new_one_for_a_day(community: Community, receiver: Receiver) -> None:
    cobalt = community.cobalt
    public_id, old = hook_of(cobalt.principal, receiver)
    new = rotate_secret(principal=cobalt.principal, public_id=public_id).secret
    published(community.aurora, Tlp.GREEN)
    deliver_all()
    receiver.requests[0].verified(old)
    receiver.requests[0].verified(new)
    Webhook.objects.update(previous_until=now())
    published(community.aurora, Tlp.GREEN)
    deliver_all()
    receiver.requests[1].verified(new)
    with pytest.raises(WebhookForgedError):
        receiver.requests[1].verified(old)


def test_a_host_that_is_allowed_no_more_is_not_reached(community: Community, receiver: Receiver) -> None:
    public_id, _ = hook_of(community.cobalt.principal, receiver)
    published(community.aurora, Tlp.GREEN)
    disallow_host(actor=OPERATOR, host="127.0.0.1")
    deliver_all()
    assert receiver.requests == []
    assert state_of(public_id).state == "paused"


def test_the_networks_of_a_token_bind_where_its_hook_sends_to(community: Community, receiver: Receiver) -> None:
    cobalt = community.cobalt
    wanted = [["127.0.0.0/8"], ["127.0.0.0/16", "10.0.0.0/8"]]
    for networks in wanted:
        bound = issue_token(actor=OPERATOR, lab=cobalt.lab, scopes=["read"], bounds={"networks": networks})
        principal = authenticate_token(bound.secret, source_address=LOOPBACK)
        public_id, _ = hook_of(principal, receiver)
        Webhook.objects.filter(public_id=public_id).update(description=networks[0])
    other = issue_token(actor=OPERATOR, lab=cobalt.lab, scopes=["read"], bounds={"networks": ["10.0.0.0/8"]})
    abroad, _ = hook_of(authenticate_token(other.secret, source_address="10.0.0.1"), receiver)
    published(community.aurora, Tlp.GREEN)
    deliver_all()
    assert len(receiver.requests) == 2
    assert (state_of(abroad).state, state_of(abroad).reason) == ("paused", "target-outside-networks")


def test_every_attempt_is_in_the_delivery_log_and_no_line_tells_the_target(
    community: Community, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _, secret = hook_of(community.cobalt.principal, receiver)
    published(community.aurora, Tlp.AMBER)
    receiver.answers = [500]
    deliver_all()
    (row,) = Delivery.objects.filter(door="webhook")
    assert row.lab_id == community.cobalt.lab.pk
    assert "receiver-secret" not in caplog.text
    assert secret not in caplog.text


def test_hundreds_of_objects_come_in_messages_of_a_bounded_size(community: Community, receiver: Receiver) -> None:
    hook_of(community.cobalt.principal, receiver)
    new = published(community.aurora, *[Tlp.GREEN] * 230)
    deliver_all()
    assert [len(request.object_ids) for request in receiver.requests] == [100, 100, 30]
    assert receiver.object_ids == new
    assert len({request.id for request in receiver.requests}) == 3


def test_what_a_hook_is_can_be_asked_by_who_may_stop_its_token(community: Community, receiver: Receiver) -> None:
    cobalt = community.cobalt
    public_id, _ = hook_of(cobalt.client, receiver)
    assert find_webhook(principal=cobalt.principal, public_id=public_id)
