"""What tests of crashes need of a sync: who wakes it, and what came of it."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable

from celery import Celery
from django.core.management import call_command

from exchange.models import PeerChannel, Version
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.queue import WAKE_CHANNELS
from tests.support.database import TestServices
from tests.support.labs import LabHandle

BATCH = 800

Versions = list[tuple[str, bytes]]


def wake(services: TestServices) -> None:
    """What beat does every two seconds, when pauses and claims of the dead are over."""
    PeerChannel.objects.update(next_attempt_at=now(), claim=None, claimed_until=None)
    with Celery(broker=services.broker_url) as sender:
        sender.send_task(WAKE_CHANNELS)


def versions_of(slug: str) -> Versions:
    """Id and payload digest of every version of a lab, twice if it is there twice."""
    with writing():
        found = Version.objects.filter(object__producer__slug=slug).values_list("object__stix_id", "digest")
        return sorted((stix_id, bytes(digest)) for stix_id, digest in found)


def publish_many(lab: LabHandle, count: int) -> Versions:
    """So many indicators of a lab of this node; answers all that it has published."""
    for _ in range(0, count, BATCH):
        bodies = [lab.signed(lab.indicator()) for _ in range(min(BATCH, count))]
        assert {each.error for each in lab.publish(*bodies)} == {None}
    return versions_of(lab.lab.slug)


def sync_in_foreground() -> set[str | None]:
    """Pull once; how the runs ended."""
    call_command("sync", "--json", stdout=(out := io.StringIO()), stderr=io.StringIO())
    return {run["failure"] for run in json.loads(out.getvalue())["runs"]}


def wait_for_versions(slug: str, expected: Versions, again: Callable[[], None], patience_s: float, seed: int) -> None:
    """Wake every two seconds, until all versions of a lab are here, each once."""
    deadline = time.monotonic() + patience_s
    while versions_of(slug) != expected and time.monotonic() < deadline:
        again()
        time.sleep(2)
    assert versions_of(slug) == expected, f"seed {seed}"
