"""Kills servers while labs publish, and says what must be true afterwards."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from django.db import connections

from exchange.services.checking import check_exchange
from exchange.services.database import writing
from exchange.stack import Stack
from tests.integration.faults.traffic import Key, Post, TaxiiDoor, Writer, make_posts, running
from tests.support.database import close_connections
from tests.support.labs import Community
from tests.support.server import WebServer

WRITERS = 4
LATEST_STRIKE = 0.6
"""Share of the objects that may have been acknowledged when the blow falls, so that it falls into the middle."""

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Victim:
    """What a test kills: a web server, and a PostgreSQL if it is the test's own.

    others: database connections of web servers that were there before, by their process ids.
    """

    server: WebServer
    community: Community
    stack: Stack | None
    others: frozenset[int] = frozenset()

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster. The web server lives on."""
        assert self.stack is not None
        pid_file = self.stack.data_dir / "postgres" / "postmaster.pid"
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)

    def revive_postgres(self) -> None:
        """The same cluster again, on the same port."""
        assert self.stack is not None
        self.stack.start()
        close_connections()


def make_writers(victim: Victim, rounds: int) -> list[Writer]:
    """Four writers of one lab; everything is signed before the first of them begins."""
    aurora, borealis, _ = victim.community.labs
    url = victim.server.url
    return [Writer(TaxiiDoor(url, aurora), make_posts(aurora, borealis, rounds=rounds)) for _ in range(WRITERS)]


def publish_until_killed(writers: list[Writer], victim: Victim, kill: Literal["web", "postgres"]) -> None:
    """Let them publish, strike when a part of it was acknowledged, and bring back what was killed."""
    total = sum(len(post.keys) for writer in writers for post in writer.posts)
    enough = random.randint(1, int(total * LATEST_STRIKE))
    with running([writer.run for writer in writers]):
        wait_for(lambda: sum(len(writer.acknowledged) for writer in writers) >= enough, "acknowledgements")
        (victim.kill_postgres if kill == "postgres" else victim.server.kill)()
    assert any(writer.stopped_by is not None for writer in writers), "the crash came too late"
    if kill == "postgres":
        victim.revive_postgres()
    else:
        wait_for(lambda: web_connections() <= victim.others, "the end of what the killed process had begun")
        victim.server.start()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.002)


def web_connections() -> frozenset[int]:
    """What a killed web process had sent may still be at work in the database; its connections go when it is done."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'commonwatch' AND datname = current_database()"
        )
        return frozenset(row[0] for row in cursor.fetchall())


def stored_bodies() -> dict[Key, bytes]:
    """Every version that is stored, by id and version, read past the doors."""
    with writing(), connections["default"].cursor() as cursor:
        cursor.execute("SELECT o.stix_id, v.version_text, v.body FROM version v JOIN object o ON o.id = v.object_id")
        rows = cursor.fetchall()
    found = {(stix_id, version): bytes(body) for stix_id, version, body in rows}
    assert len(found) == len(rows), "a version is stored twice"
    return found


def posted_bodies(posts: Iterable[Post]) -> dict[Key, bytes]:
    return {key: body for post in posts for key, body in zip(post.keys, post.bodies, strict=True)}


def assert_sound(writers: list[Writer]) -> None:
    """After a crash: what was acknowledged is there, every object is there as it was sent or not at all, and all that
    is stored verifies."""
    stored, posted = stored_bodies(), posted_bodies(post for writer in writers for post in writer.posts)
    for writer in writers:
        lost = writer.acknowledged - stored.keys()
        assert not lost, f"acknowledged and lost: {lost}"
    damaged = {key for key, body in posted.items() if stored.get(key, body) != body}
    assert not damaged, f"stored other than sent: {damaged}"
    for post in (post for writer in writers for post in writer.posts):
        there = [key in stored for key in post.keys]
        assert all(there) or not any(there), "a request was taken in part"
    report = check_exchange()
    assert not report.faults, report.faults


def publish_again(writers: list[Writer], victim: Victim) -> None:
    """Everything once more, as a lab does that does not know what arrived; the end is the same as without a crash."""
    again = [Writer(TaxiiDoor(victim.server.url, victim.community.aurora), writer.posts) for writer in writers]
    with running([writer.run for writer in again]):
        pass
    for writer in again:
        assert writer.stopped_by is None, writer.stopped_by
        assert writer.acknowledged == {key for post in writer.posts for key in post.keys}
    stored, posted = stored_bodies(), posted_bodies(post for writer in writers for post in writer.posts)
    assert {key: stored.get(key) for key in posted} == posted
    report = check_exchange()
    assert not report.faults, report.faults
