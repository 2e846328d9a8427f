"""What is kept of an embedded node, without a server: names, addresses, files. With servers: test_commands.py."""

import json
import stat
from pathlib import Path

import pytest

from exchange.stack import StackError
from exchange.stack.nodes import NodeValues, node_address, node_home, node_names, set_node_address


def keep(data_dir: Path, name: str, number: int) -> Path:
    folder = node_home(data_dir, name)
    folder.mkdir(parents=True)
    values = {"number": number, "database": f"node_{name}", "secret_key": "s" * 50, "sealing_keys": "k"}
    path = folder / "environment.json"
    path.write_text(json.dumps(values))
    return path


@pytest.mark.parametrize("name", ["", "Main", "../main", "a b", "1st", "x" * 32, "main/..", "-x"])
def test_bad_name_of_a_node_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(StackError, match="is no name of a node"):
        node_home(tmp_path, name)


def test_nodes_are_listed_in_the_order_of_their_making(tmp_path: Path) -> None:
    assert node_names(tmp_path) == []
    keep(tmp_path, "zeta", 0)
    keep(tmp_path, "alpha", 1)
    assert node_names(tmp_path) == ["zeta", "alpha"]


def test_address_is_kept_with_its_host_and_loopback_as_allowed_hosts(tmp_path: Path) -> None:
    path = keep(tmp_path, "main", 0)
    set_node_address(tmp_path, "main", "http://localhost:8042")
    assert node_address(tmp_path, "main") == "http://localhost:8042"
    assert json.loads(path.read_text())["allowed_hosts"] == "localhost,127.0.0.1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_absent_node_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="there is no node main"):
        node_address(tmp_path, "main")


@pytest.mark.parametrize("text", ["{", "[]", '{"number": 0}', '{"number": 0, "database": "x", "extra-secret": 1}'])
def test_damaged_values_are_reported_without_their_content(tmp_path: Path, text: str) -> None:
    path = keep(tmp_path, "main", 0)
    path.write_text(text)
    with pytest.raises(StackError, match="is damaged") as caught:
        node_address(tmp_path, "main")
    assert "extra-secret" not in str(caught.value)


def test_values_never_show_their_secrets() -> None:
    values = NodeValues(number=0, database="node_main")
    assert values.secret_key not in repr(values)
    assert values.sealing_keys not in repr(values)
