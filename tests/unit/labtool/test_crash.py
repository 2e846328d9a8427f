"""A pull that is killed at any moment loses nothing, keeps nothing half, and ends the same when it is run again."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from exchange.labtool.pins import write_pins
from tests.unit.labtool.material import Party
from tests.unit.labtool.small_node import TOKEN, SmallNode

KILLS = 6
OBJECTS = 400


def start_pull(node: SmallNode, folder: Path) -> subprocess.Popen[bytes]:
    command = ["pull", "--collection", "signatures", "--to", str(folder / "in"), "--page-objects", "20"]
    environ = {
        **os.environ,
        "HOME": str(folder),
        "COMMONWATCH_NODE": node.url,
        "COMMONWATCH_TOKEN": TOKEN,
        "COMMONWATCH_PINS": str(folder / "pins.json"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "exchange.labtool.main", *command],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_pull_killed_at_random_moments_ends_the_same(node: SmallNode, tmp_path: Path, aurora: Party) -> None:
    objects = {aurora.indicator() for _ in range(OBJECTS)}
    node.add("identities", aurora.identity)
    node.add("signatures", *objects)
    write_pins(tmp_path / "pins.json", aurora.pins)
    chance = random.Random(7)
    state = tmp_path / "in" / ".state" / "state.json"

    for _ in range(KILLS):
        running = start_pull(node, tmp_path)
        # Wait for the pull itself; the start of the interpreter is not what is tested.
        count = len(node.requests)
        while len(node.requests) < count + 4 and running.poll() is None:
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.15))
        running.send_signal(signal.SIGKILL)
        running.wait()
        for path in (tmp_path / "in" / "objects").rglob("*.json"):
            assert path.read_bytes() in objects | {aurora.identity}
        if state.exists():
            json.loads(state.read_text())

    assert start_pull(node, tmp_path).wait(60) == 0
    left = [path for path in (tmp_path / "in" / "objects").rglob("*") if path.is_file()]
    assert {path.read_bytes() for path in left} == objects | {aurora.identity}
    assert len(left) == len(objects) + 1
