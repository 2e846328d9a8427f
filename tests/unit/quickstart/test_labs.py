"""Where the labs of the demonstration live: settled when their keys are made, whatever a later start asks for."""

import json
from pathlib import Path

import pytest

from exchange.quickstart.labs import MAIN, PEER, nodes_in

TOGETHER = {MAIN: ["aurora", "borealis", "cobalt"]}
APART = {MAIN: ["aurora", "borealis"], PEER: ["cobalt"]}


def lives_in(data_dir: Path, *, with_peer: bool) -> dict[str, list[str]]:
    return {node.name: [lab.slug for lab in node.labs] for node in nodes_in(data_dir, with_peer=with_peer)}


def settled(data_dir: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        home = data_dir / "nodes" / name
        home.mkdir(parents=True)
        (home / "environment.json").write_text(json.dumps({"number": number, "database": f"node_{name}"}))
    (data_dir / "labs/cobalt").mkdir(parents=True)
    return data_dir


@pytest.mark.parametrize(("with_peer", "lives"), [(True, APART), (False, TOGETHER)])
def test_new_directory_goes_by_what_is_asked_for(tmp_path: Path, with_peer: bool, lives: object) -> None:
    assert lives_in(tmp_path, with_peer=with_peer) == lives


def test_directory_with_one_exchange_keeps_all_labs_there(tmp_path: Path) -> None:
    assert lives_in(settled(tmp_path, MAIN), with_peer=True) == TOGETHER


def test_cobalt_is_away_while_its_exchange_is_not_started(tmp_path: Path) -> None:
    assert lives_in(settled(tmp_path, MAIN, PEER), with_peer=False) == {MAIN: APART[MAIN]}
    assert lives_in(tmp_path, with_peer=True) == APART
