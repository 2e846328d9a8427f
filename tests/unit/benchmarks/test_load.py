"""The load of a benchmark is what it is said to be, or it is no measurement: against a small server of our own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.client import Pull, run
from benchmarks.connection import Connection, make_request
from benchmarks.load import run_load
from exchange.stack import free_port
from tests.unit.benchmarks import small_server
from tests.unit.benchmarks.small_server import BODY


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    command = [sys.executable, str(Path(small_server.__file__))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.terminate()


def test_an_answer_is_read_whole_or_thrown_away_to_its_end(port: int) -> None:
    request = make_request("GET", "/fine", "Bearer x")
    with closing(Connection(port)) as link:
        assert link.skim(request) == 200
        assert link.send(request).body == BODY
        assert link.send(request).headers["content-length"] == str(len(BODY))


def test_a_load_sends_each_request_once_over_all_its_connections(port: int) -> None:
    requests = [make_request("GET", f"/fine/{number}", "Bearer x") for number in range(40)]
    measured = run_load(port, requests, processes=2, threads=3)
    assert measured.statuses == {200: 40}
    assert len(measured.request_s) == 40


def test_a_load_for_a_time_sends_again_what_it_has(port: int) -> None:
    measured = run_load(port, [make_request("GET", "/fine", "Bearer x")], processes=2, threads=2, for_s=0.05)
    assert set(measured.statuses) == {200}
    assert len(measured.request_s) >= 4


def test_a_connection_that_breaks_fails_the_load(port: int) -> None:
    requests = [make_request("GET", "/broken", "Bearer x")] * 4
    with pytest.raises(ConnectionError, match="closed the connection"):
        run_load(port, requests, processes=2, threads=1)


def test_a_server_that_is_not_there_fails_the_load() -> None:
    with pytest.raises(ConnectionError, match="refused"):
        run_load(free_port(), [make_request("GET", "/fine", "Bearer x")], processes=1, threads=1)


def test_the_client_counts_what_it_parsed(port: int) -> None:
    pulled = run(Pull(port, "/fine", "Bearer x", limit=2, most_s=60.0))
    assert (pulled.objects, pulled.pages, pulled.whole) == (2, 1, True)


def test_the_client_takes_no_refusal_for_a_page(port: int) -> None:
    with pytest.raises(AssertionError, match="page 1 was answered 404"):
        run(Pull(port, "/refused", "Bearer x", limit=2, most_s=60.0))
