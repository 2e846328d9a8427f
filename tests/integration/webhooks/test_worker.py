"""Webhooks by a real worker process, killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from exchange.celery import app
from exchange.models import Webhook
from exchange.services.queue import WAKE_WEBHOOKS
from exchange.services.webhooks import create_webhook
from exchange.stix.markings import Tlp
from tests.support.database import TestServices
from tests.support.labs import Community
from tests.support.receiver import Receiver, wait_for
from tests.support.worker import Worker


@pytest.fixture
def worker(services: TestServices, community: Community, tmp_path: Path) -> Iterator[Worker]:
    started = Worker(services, tmp_path / "worker.log")
    started.start()
    yield started
    started.stop()


def wake(services: TestServices) -> None:
    """What beat does every few seconds."""
    with Celery(broker=services.broker_url) as sender:
        sender.send_task(WAKE_WEBHOOKS)


def test_a_killed_worker_posts_the_batch_again_under_the_same_id(
    services: TestServices, community: Community, receiver: Receiver, worker: Worker
) -> None:
    made = create_webhook(principal=community.cobalt.principal, url=receiver.url)
    aurora = community.aurora
    members = aurora.indicator(Tlp.GREEN)
    assert aurora.publish(aurora.signed(members))[0].error is None

    receiver.before_answer = worker.kill
    wake(services)
    wait_for(lambda: receiver.requests, "the first attempt")
    wait_for(lambda: worker.process is not None and worker.process.poll() is not None, "the death of the worker")
    receiver.before_answer = lambda: None
    hook = Webhook.objects.get()
    assert (hook.pending_id, hook.last_success_at) == (receiver.requests[0].id, None)
    # Its claim would end by itself.
    Webhook.objects.update(claimed_until=None)

    worker.start()
    wake(services)
    wait_for(lambda: Webhook.objects.get().last_success_at, "the second attempt")
    assert {request.id for request in receiver.requests} == {hook.pending_id}
    assert receiver.requests[-1].object_ids == [members["id"]]
    receiver.requests[-1].verified(made.secret)
    log = worker.log_path.read_text()
    assert f"webhook {made.hook.public_id}: status-204, objects=1" in log
    assert "receiver-secret" not in log
    assert made.secret not in log


def test_beat_wakes_the_webhooks_every_few_seconds() -> None:
    entry = app.conf.beat_schedule["wake-webhooks"]
    assert entry["task"] == WAKE_WEBHOOKS
    assert entry["schedule"] <= 5
