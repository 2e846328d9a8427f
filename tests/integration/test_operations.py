"""Health, readiness, metrics, housekeeping, and what web and workers refuse to start with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from exchange.models import IdempotentRequest, Leaf, PeerChannel, PublishingStatus, StagedEnvelope
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.peers.health import OPEN_AFTER
from exchange.services.retention import ensure_partitions, purge_expired
from exchange.stack import free_port
from exchange.startup import migrations_are_missing
from exchange.stix.markings import Tlp
from exchange.web import metrics, peer_metrics
from tests.support.database import TestServices
from tests.support.labs import Community
from tests.support.peers import make_exchange, make_feed, stranger
from tests.support.server import server_environment

Start = Callable[[tuple[str, ...], dict[str, str]], "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).resolve().parents[2]
SCRAPE_TOKEN = "a token for scraping"


@pytest.fixture
def client(services: TestServices, settings: Settings) -> Client:
    settings.BROKER_URL = services.broker_url
    settings.METRICS_TOKEN = SCRAPE_TOKEN
    return Client()


@pytest.fixture(autouse=True)
def _fresh_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_totals", metrics.NodeTotals())


def scrape(client: Client) -> str:
    response = client.get("/metrics", headers={"Authorization": f"Bearer {SCRAPE_TOKEN}"})
    assert response.status_code == 200
    return response.content.decode()


# --- health and readiness ----------------------------------------------------------------------------------------


def test_health_needs_no_database(client: Client) -> None:
    # No fixture opens the database here: a query would fail.
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_ready_node_says_so_part_by_part(community: Community, client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "parts": {"database": "ok", "migrations": "ok", "node": "ok", "broker": "ok"},
    }


def test_node_that_was_not_set_up_is_not_ready(database: None, client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert "init_node" in response.json()["parts"]["node"]


def test_dead_broker_is_named_and_its_address_is_not(community: Community, client: Client, settings: Settings) -> None:
    port = free_port()
    settings.BROKER_URL = f"redis://:hidden@127.0.0.1:{port}/0"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["parts"]["broker"] == "does not answer"
    assert str(port) not in response.content.decode()
    assert "hidden" not in response.content.decode()


def test_owner_of_the_tables_is_no_role_to_serve_with(
    services: TestServices, database: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("commonwatch_app",)
    from django.db import connections

    owner = connections["owner"]
    monkeypatch.setitem(connection.settings_dict, "USER", owner.settings_dict["USER"])
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", owner.settings_dict["PASSWORD"])
    connection.close()
    response = client.get("/readyz")
    connection.close()
    assert response.status_code == 503
    assert "owns the tables" in response.json()["parts"]["database"]


def test_migrations_that_are_applied_are_not_missing(database: None) -> None:
    assert not migrations_are_missing()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_only_reading_is_allowed(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


# --- metrics -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [None, "Bearer ", "Bearer wrong", f"Basic {SCRAPE_TOKEN}", "Bearer \u00e9"])
def test_metrics_are_closed_to_others(database: None, client: Client, authorization: str | None) -> None:
    response = client.get("/metrics", headers={"Authorization": authorization} if authorization else {})
    assert response.status_code == 401
    assert "WWW-Authenticate" in response
    assert b"commonwatch_" not in response.content


def test_metrics_without_a_scrape_token_set_are_closed_to_an_empty_one(
    database: None, client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_metrics_count_what_is_stored_and_what_was_refused(community: Community, client: Client) -> None:
    community.aurora.publish(community.aurora.signed(community.aurora.indicator(Tlp.GREEN)))
    community.aurora.publish(community.aurora.signed(community.aurora.indicator(None)))
    text = scrape(client)
    assert 'commonwatch_objects{state="current",type="indicator"} 1.0' in text
    assert 'commonwatch_labs{status="active"} 3.0' in text
    assert "commonwatch_staged_envelopes 0.0" in text
    assert 'commonwatch_published_objects_total{door="test",status="stored"}' in text
    assert "commonwatch_refused_objects_total{code=" in text
    assert "commonwatch_last_seq " in text
    assert "commonwatch_database_up 1.0" in text


def test_metrics_tell_how_each_channel_is_doing_and_what_waits(community: Community, client: Client) -> None:
    peer, moment = make_exchange(), now()
    peer.send(stranger().keys.identity_bytes)
    pull = peer.channel.pk
    PeerChannel.objects.filter(pk=pull).update(
        failures=OPEN_AFTER,
        next_attempt_at=moment + timedelta(hours=1),
        behind_since=moment - timedelta(hours=2),
        last_success_at=moment,
        moved=12,
        last_failure="unreachable",
    )
    with writing():
        newest = Leaf.objects.latest("seq").seq
    push = PeerChannel.objects.create(
        peer=peer.peer,
        direction="push",
        remote_collection="inbox-of-theirs",
        collection=peer.channel.collection,
        created_at=moment,
        next_attempt_at=moment,
        last_seq=newest - 3,
    ).pk
    text = scrape(client)
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("commonwatch_"))

    def of(name: str, number: int, direction: str) -> float | None:
        key = f'commonwatch_peer_channel_{name}{{channel="{number}",direction="{direction}",peer="harbour"}}'
        return float(values[key]) if key in values else None

    assert 7_200 <= (of("behind_seconds", pull, "pull") or 0) < 9_000
    assert of("behind_objects", pull, "pull") is None
    assert of("behind_objects", push, "push") == 3
    for name, pulled, pushed in (("more", 1, 1), ("circuit_open", 1, 0), ("failures", OPEN_AFTER, 0), ("paused", 0, 0)):
        assert (of(name, pull, "pull"), of(name, push, "push")) == (pulled, pushed), name
    assert of("moved_objects_total", pull, "pull") == 12
    assert of("last_success_timestamp_seconds", pull, "pull") == pytest.approx(moment.timestamp())
    assert of("last_success_timestamp_seconds", push, "push") is None
    assert values['commonwatch_quarantine_waiting{peer="harbour"}'] == "1.0"
    assert values["commonwatch_peer_channels"] == "2.0"
    assert "inbox-of-theirs" not in text


def test_channels_beyond_the_bound_are_counted_and_not_shown(
    community: Community, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_exchange()
    make_feed()
    monkeypatch.setattr(peer_metrics, "MAX_CHANNELS", 1)
    text = scrape(client)
    assert "commonwatch_peer_channels 2.0" in text
    assert text.count("commonwatch_peer_channel_failures{") == 1


def test_paths_from_outside_are_no_labels(community: Community, client: Client) -> None:
    client.get("/healthz")
    client.get("/wp-login.php/secret-path")
    text = scrape(client)
    assert 'commonwatch_requests_total{door="healthz",method="GET",status="200"}' in text
    assert "secret-path" not in text
    assert "wp-login" not in text


# --- housekeeping ------------------------------------------------------------------------------------------------


def test_answers_and_statuses_go_after_a_day_and_not_before(community: Community) -> None:
    lab, moment = community.aurora.lab, now()
    for hours in (1, 23, 25):
        at = moment - timedelta(hours=hours)
        IdempotentRequest.objects.create(lab=lab, key=f"k{hours}", request_digest=b"d" * 32, created_at=at)
        PublishingStatus.objects.create(lab=lab, requested_at=at, completed_at=at)
    pending = PublishingStatus.objects.create(lab=lab, requested_at=moment - timedelta(days=9), completed_at=None)
    with writing():
        StagedEnvelope.objects.create(
            status_id=pending.id,
            lab_id=lab.pk,
            token_id=0,
            collection_id=0,
            staged_at=pending.requested_at,
            is_whole=True,
        )
    purged = purge_expired(moment)
    assert (purged.answers, purged.statuses) == (1, 1)
    assert {row.key for row in IdempotentRequest.objects.all()} == {"k1", "k23"}
    assert PublishingStatus.objects.count() == 3


def test_partitions_are_made_ahead_by_the_plain_role(database: None) -> None:
    ensure_partitions()
    assert ensure_partitions() == 0


@pytest.fixture
def worker_log(services: TestServices, community: Community, tmp_path: Path) -> Iterator[Path]:
    """A real worker of its own queue-free broker database; its log."""
    path = tmp_path / "worker.log"
    command = [sys.executable, "-m", "celery", "-A", "exchange.celery", "worker", "--loglevel", "INFO"]
    with path.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--concurrency", "1", "--without-gossip", "--without-mingle"],
            env=server_environment(services, 8000),
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    yield path
    process.send_signal(signal.SIGTERM)
    process.wait(20)


def test_worker_does_the_housekeeping(services: TestServices, worker_log: Path) -> None:
    from celery import Celery

    with Celery(broker=services.broker_url) as sender:
        for task in ("purge_expired", "ensure_partitions", "check_exchange"):
            sender.send_task(f"housekeeping.{task}")
    deadline = time.monotonic() + 60
    wanted = ("purged answers=0", "partitions made=0", "check green faults=0")
    while not all(line in worker_log.read_text() for line in wanted):
        assert time.monotonic() < deadline, worker_log.read_text()
        time.sleep(0.1)


# --- refused starts ----------------------------------------------------------------------------------------------

WEB = (sys.executable, "-c", "import exchange.wsgi")
WORKER = (sys.executable, "-m", "celery", "-A", "exchange.celery", "worker", "--concurrency", "1")
BEAT = (sys.executable, "-m", "celery", "-A", "exchange.celery", "beat", "--pidfile", "")


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Runs a process to its end, in a folder where beat may leave its schedule."""

    def run(argv: tuple[str, ...], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        everything = variables | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(
            argv, env=everything, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.mark.parametrize("argv", [WEB, WORKER, BEAT], ids=["web", "worker", "beat"])
@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY is missing or weak"),
        ("SEALING_KEYS", "", "SEALING_KEYS is missing or weak"),
        ("PUBLIC_URL", "", "PUBLIC_URL is not set"),
    ],
)
def test_missing_or_weak_value_stops_the_start_with_one_line(
    services: TestServices, database: None, start: Start, argv: tuple[str, ...], variable: str, value: str, line: str
) -> None:
    done = start(argv, server_environment(services, 8000) | {variable: value})
    assert done.returncode != 0
    complaints = [text for text in done.stderr.splitlines() if "commonwatch cannot start" in text]
    assert len(complaints) == 1
    assert line in complaints[0]
    assert "Traceback" not in done.stderr
    assert "short" not in complaints[0].replace("at least", "")


@pytest.mark.parametrize("argv", [WEB, WORKER], ids=["web", "worker"])
def test_role_that_owns_the_tables_stops_the_start(
    services: TestServices, database: None, start: Start, argv: tuple[str, ...]
) -> None:
    done = start(argv, server_environment(services, 8000) | {"DATABASE_URL": services.owner_url})
    assert done.returncode != 0
    assert "commonwatch cannot start: the role of DATABASE_URL owns the tables" in done.stderr
    assert "Traceback" not in done.stderr


def test_database_that_does_not_answer_stops_the_start_without_its_password(
    services: TestServices, start: Start
) -> None:
    url = f"postgresql://someone:hidden@127.0.0.1:{free_port()}/nothing"
    done = start(WEB, server_environment(services, 8000) | {"DATABASE_URL": url})
    assert done.returncode != 0
    assert "does not answer" in done.stderr
    assert "hidden" not in done.stderr
    assert "Traceback" not in done.stderr


# --- the real web process ----------------------------------------------------------------------------------------


def test_real_web_process_is_healthy_and_ready(exchange_server: tuple[str, Community]) -> None:
    url, _community = exchange_server
    for path in ("/healthz", "/readyz"):
        with urllib.request.urlopen(url + path, timeout=10) as answer:
            assert answer.status == 200


def test_real_web_process_keeps_its_metrics_closed(exchange_server: tuple[str, Community]) -> None:
    url, _community = exchange_server
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{url}/metrics", timeout=10)
    caught.value.close()
    assert caught.value.code == 401
    assert os.environ.get("METRICS_TOKEN", "") == ""
