"""What happens when a webhook's target does not take a message, or its token may not read any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from exchange.models import Collection, Webhook
from exchange.services.clock import now
from exchange.services.collections import grant_access
from exchange.services.errors import NotFoundError
from exchange.services.labs import resume_lab, suspend_lab
from exchange.services.outbound import disallow_host
from exchange.services.principals import OPERATOR
from exchange.services.tokens import revoke_token
from exchange.services.webhooks import resume_webhook
from exchange.services.webhooks.settling import GIVE_UP_AFTER
from exchange.stix.markings import Tlp
from tests.integration.webhooks.hooks import deliver_all, hook_of, make_due, published, state_of
from tests.support.labs import Community
from tests.support.receiver import Receiver


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


def test_a_host_that_is_allowed_no_more_is_not_reached(community: Community, receiver: Receiver) -> None:
    public_id, _ = hook_of(community.cobalt.principal, receiver)
    published(community.aurora, Tlp.GREEN)
    disallow_host(actor=OPERATOR, host="127.0.0.1")
    deliver_all()
    assert receiver.requests == []
    assert state_of(public_id).state == "paused"
