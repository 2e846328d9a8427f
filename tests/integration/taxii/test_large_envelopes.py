"""Large envelopes through the doors: a real web process keeps them, a real worker publishes them, real clients wait."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from taxii2client.v21 import Server

from exchange.models import ApiRoot, PublishingStatus, StagedEnvelope, Version
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.queue import _sender
from exchange.services.staging import offer_due_envelopes
from exchange.taxii.posting import MAX_BYTES_AT_ONCE, MAX_OBJECTS_AT_ONCE
from tests.integration.faults.crashing import wait_for
from tests.integration.taxii.walking import MANIFEST, by_next, items
from tests.support.database import TestServices
from tests.support.labs import LabHandle
from tests.support.server import WebServer
from tests.support.taxii import Node
from tests.support.worker import Worker

LARGE = MAX_OBJECTS_AT_ONCE + 1
Status = dict[str, Any]


def empty_queue(services: TestServices) -> int:
    """Take away what waits for a worker; answers how many messages."""
    with Connection(services.broker_url) as connection:
        return int(connection.SimpleQueue("celery").clear() or 0)


@pytest.fixture
def idle_worker(services: TestServices, tmp_path: Path) -> Iterator[Worker]:
    """A worker that does not run yet, behind an empty queue."""
    empty_queue(services)
    worker = Worker(services, tmp_path / "worker.log")
    yield worker
    worker.stop()


@pytest.fixture
def worker(idle_worker: Worker) -> Worker:
    idle_worker.start()
    return idle_worker


@pytest.fixture
def broker(services: TestServices, settings: Any) -> Iterator[None]:
    """This process may send tasks, too."""
    settings.CELERY_BROKER_URL = services.broker_url
    _sender.cache_clear()
    yield
    _sender.cache_clear()


def signed(lab: LabHandle, count: int) -> list[bytes]:
    return [lab.signed(lab.indicator()) for _ in range(count)]


def padded(bodies: list[bytes], size: int) -> bytes:
    """An envelope of at least so many bytes: white space counts as much as anything else."""
    listed = b",".join(bodies)
    return b'{"objects":[' + listed + b" " * (size - len(listed)) + b"]}"


def status_of(node: Node, status_id: str) -> Status:
    found: Status = node.aurora.get(f"/exchange/status/{status_id}/").json()
    for name, plural in (("success", "successes"), ("failure", "failures"), ("pending", "pendings")):
        assert len(found.get(plural, [])) == found[f"{name}_count"]
    assert found["total_count"] == sum(found[f"{name}_count"] for name in ("success", "failure", "pending"))
    return found


def wait_until_complete(node: Node, status_id: str) -> Status:
    wait_for(lambda: status_of(node, status_id)["status"] == "complete", "the end of the envelope")
    return status_of(node, status_id)


def let_claims_run_out() -> None:
    with writing():
        StagedEnvelope.objects.update(claimed_until=now(), due_at=now())


def manifest(node: Node) -> list[tuple[str, str]]:
    """Id and date of every indicator in the collection."""
    pages = by_next(node.borealis, MANIFEST, "limit=1000&match[version]=all&match[type]=indicator")
    return [(each["id"], each["date_added"]) for page in pages for each in items(page)]


def test_a_large_envelope_is_pending_first_and_complete_when_a_worker_was_there(
    node: Node, idle_worker: Worker
) -> None:
    aurora = node.community.aurora
    bodies = [*signed(aurora, LARGE - 1), aurora.signed(aurora.indicator(label=None))]
    response = node.aurora.post(*bodies)
    assert response.status_code == 202, response.text
    posted = response.json()
    assert (posted["status"], posted["total_count"], posted["pending_count"]) == ("pending", LARGE, LARGE)
    assert [each["id"] for each in posted["pendings"]] == [json.loads(each)["id"] for each in bodies]
    assert status_of(node, posted["id"]) == posted
    assert node.borealis.get(f"/exchange/status/{posted['id']}/").status_code == 404
    assert manifest(node) == []
    idle_worker.start()
    status = wait_until_complete(node, posted["id"])
    assert (status["success_count"], status["failure_count"]) == (LARGE - 1, 1)
    assert [each["id"] for each in status["successes"]] == [json.loads(each)["id"] for each in bodies[:-1]]
    assert "unmarked" in status["failures"][0]["message"]
    assert [each[0] for each in manifest(node)] == [each["id"] for each in status["successes"]]


def test_what_is_at_most_a_thousand_objects_and_four_megabytes_is_complete_at_once(node: Node) -> None:
    bodies = signed(node.community.aurora, MAX_OBJECTS_AT_ONCE)
    assert node.aurora.post(*bodies).json()["status"] == "complete"
    just = padded(bodies[:1], MAX_BYTES_AT_ONCE - 14)
    assert len(just) == MAX_BYTES_AT_ONCE
    assert node.aurora.post(data=just).json()["status"] == "complete"


def test_the_size_counts_as_it_arrives_plain_inflated_or_in_chunks(node: Node, worker: Worker) -> None:
    bodies = signed(node.community.aurora, 2)
    envelope = padded(bodies, MAX_BYTES_AT_ONCE + 1)
    for options in (
        {"data": envelope},
        {"data": gzip.compress(envelope), "headers": {"Content-Encoding": "gzip"}},
        {"data": (envelope[at : at + 99_999] for at in range(0, len(envelope), 99_999))},
    ):
        response = node.aurora.post(**options)
        assert response.json()["status"] == "pending"
        assert wait_until_complete(node, response.json()["id"])["success_count"] == 2


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        (b"", 400, "syntax"),
        (b"]", 400, "syntax"),
        (b',{"id":]}', 400, "syntax"),
        (b"]} x", 400, "syntax"),
        (b'],"objects":[]}', 400, "duplicate-name"),
        (b'],"more":\xff}', 400, "not-utf-8"),
        (b',{"type":"x"}]}', 422, "no-id"),
        (b',{"id":"x"}]}', 422, "identifier"),
        (b',{"id":"indicator--0f2d1c52-5c0e-4c34-9d35-3f6f4f4d7a01","modified":"\\u0000"}]}', 422, "timestamp"),
        (b',{"x":"' + b"x" * (2 * 1024 * 1024) + b'"}]}', 422, "too-large"),
    ],
)
def test_a_fault_at_the_end_of_a_large_envelope_leaves_nothing(node: Node, end: bytes, status: int, code: str) -> None:
    body = padded(signed(node.community.aurora, 1), MAX_BYTES_AT_ONCE + 1)[:-2] + end
    response = node.aurora.post(data=body)
    assert response.status_code == status, response.text
    assert response.json()["error_code"] == code
    assert_nothing_is_kept()


def test_a_body_that_grows_too_large_or_breaks_off_leaves_nothing(node: Node) -> None:
    ApiRoot.objects.update(max_content_bytes=MAX_BYTES_AT_ONCE * 2)
    bodies = signed(node.community.aurora, 1)
    too_large = padded(bodies, MAX_BYTES_AT_ONCE * 2)
    assert node.aurora.post(data=too_large).status_code == 413
    in_chunks = (too_large[at : at + 65_536] for at in range(0, len(too_large), 65_536))
    assert node.aurora.post(data=in_chunks).status_code == 413
    cut_off = gzip.compress(padded(bodies, MAX_BYTES_AT_ONCE + 1))[:-20]
    assert node.aurora.post(data=cut_off, headers={"Content-Encoding": "gzip"}).status_code == 400
    assert_nothing_is_kept()


def assert_nothing_is_kept() -> None:
    with writing():
        assert not StagedEnvelope.objects.exists()
        assert not Version.objects.filter(object__type="indicator").exists()
    assert not PublishingStatus.objects.exists()


def test_a_worker_killed_in_the_middle_is_followed_by_one_that_repeats_nothing(
    node: Node, idle_worker: Worker, broker: None
) -> None:
    aurora = node.community.aurora
    bodies = signed(aurora, 4_000)
    ids = [json.loads(each)["id"] for each in bodies]
    posted = node.aurora.post(*bodies).json()
    idle_worker.start()
    wait_for(lambda: status_of(node, posted["id"])["success_count"] >= 500, "the first batch")
    idle_worker.kill()
    before, status = manifest(node), status_of(node, posted["id"])
    assert 500 <= len(before) < 4_000, "the blow came too late"
    assert (status["status"], status["success_count"], status["failure_count"]) == ("pending", len(before), 0)

    idle_worker.start()
    let_claims_run_out()
    assert offer_due_envelopes() == 1
    status = wait_until_complete(node, posted["id"])
    assert (status["success_count"], status["failure_count"]) == (4_000, 0)
    assert [each["id"] for each in status["successes"]] == ids
    assert all("message" not in each for each in status["successes"]), "something was published twice"
    after = manifest(node)
    assert [each[0] for each in after] == ids
    assert after[: len(before)] == before


def test_a_message_that_the_broker_lost_is_sent_again(
    node: Node, services: TestServices, idle_worker: Worker, broker: None
) -> None:
    posted = node.aurora.post(*signed(node.community.aurora, LARGE)).json()
    assert empty_queue(services) == 1
    assert offer_due_envelopes() == 0
    idle_worker.start()
    let_claims_run_out()
    assert offer_due_envelopes() == 1
    assert wait_until_complete(node, posted["id"])["success_count"] == LARGE


def test_without_a_broker_an_envelope_is_kept_all_the_same(
    node: Node, services: TestServices, tmp_path: Path, idle_worker: Worker, broker: None
) -> None:
    away = TestServices(services.app_url, services.owner_url, "redis://127.0.0.1:1/0")
    server = WebServer(away, tmp_path / "web.log")
    server.start()
    try:
        client = type(node.aurora)(server.url, node.aurora.token)
        posted = client.post(*signed(node.community.aurora, LARGE)).json()
    finally:
        server.stop()
    assert posted["status"] == "pending"
    idle_worker.start()
    let_claims_run_out()
    assert offer_due_envelopes() == 1
    assert wait_until_complete(node, posted["id"])["success_count"] == LARGE


def test_the_reference_client_waits_for_a_large_envelope(node: Node, worker: Worker) -> None:
    aurora = node.community.aurora
    members = [json.loads(each) for each in signed(aurora, LARGE)]
    with Server(f"{node.url}/taxii2/", user="aurora", password=aurora.token) as server:
        collection = next(each for each in server.default.collections if each.alias == "signatures")
        status = collection.add_objects({"objects": members}, wait_for_completion=False)
        assert (status.status, status.pending_count) == ("pending", LARGE)
        status.wait_until_final(poll_interval=0.05, timeout=60)
        assert (status.status, status.success_count) == ("complete", LARGE)
        again = collection.add_objects({"objects": members}, wait_for_completion=True, poll_interval=0.05, timeout=60)
        assert (again.status, again.success_count) == ("complete", LARGE)
        assert {each["message"] for each in again.successes} == {"exists"}
