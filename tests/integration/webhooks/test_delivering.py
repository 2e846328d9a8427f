"""What a webhook delivers, to whom, and how it is signed."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.labtool.webhooks import WebhookForgedError
from exchange.models import Delivery, Webhook
from exchange.services.access import authenticate_token
from exchange.services.clock import now
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.services.webhooks import claim_due, find_webhook, rotate_secret
from exchange.stix.markings import Tlp
from exchange.sync.webhooks.delivering import deliver
from tests.integration.webhooks.hooks import deliver_all, hook_of, published, state_of
from tests.support.forms import assert_form
from tests.support.labs import LOOPBACK, Community
from tests.support.receiver import Receiver


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
