"""Values of the process environment: what production refuses, and that no message quotes a secret."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.environment import (
    EnvironmentValueError,
    find_faults,
    parse_database_url,
    read,
    read_count,
    read_flag,
    read_rates,
)
from exchange.services.rates import DEFAULT_RATES, Rate

SOUND = {
    "DATABASE_URL": "postgresql://app:secret@db:5432/commonwatch",
    "BROKER_URL": "amqps://user:secret@broker/",
    "CACHE_URL": "rediss://:secret@cache/1",
    "PUBLIC_URL": "https://exchange.example",
    "ALLOWED_HOSTS": "exchange.example",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
    "SEALING_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode(),
}


def test_sound_values_have_no_fault() -> None:
    assert find_faults(SOUND) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("BROKER_URL", ""),
        ("BROKER_URL", "banana://x"),
        ("CACHE_URL", "memcached://x"),
        ("CACHE_URL", "redis://host:se/cret"),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://exchange.example"),
        ("ALLOWED_HOSTS", ""),
        ("ALLOWED_HOSTS", "*"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SEALING_KEYS", "abc"),
        ("SEALING_KEYS", f"{SOUND['SEALING_KEYS']},abc"),
        ("DEBUG", "1"),
    ],
)
def test_a_missing_or_weak_value_is_one_fault_that_names_it_and_not_its_value(name: str, value: str) -> None:
    faults = find_faults({**SOUND, name: value})
    assert len(faults) == 1
    assert name in faults[0]
    assert not value or value == "*" or value == "1" or value not in faults[0]


def test_plain_http_and_debugging_are_for_this_machine() -> None:
    assert find_faults({**SOUND, "PUBLIC_URL": "http://localhost:8000", "DEBUG": "1"}) == []


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:se/cret@h:5432/db", "postgresql://u:secret@[h/db", "mysql://u:secret@h/db", "postgresql://h"],
)
def test_a_database_address_of_another_form_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(EnvironmentValueError) as caught:
        parse_database_url("DATABASE_URL", url)
    assert "DATABASE_URL" in str(caught.value)
    assert "cret" not in str(caught.value)


def test_parts_of_a_database_address_are_decoded() -> None:
    address = parse_database_url("DATABASE_URL", "postgres://us%40er:p%2Fw@host/name")
    assert (address.user, address.password, address.host, address.port, address.name) == (
        "us@er",
        "p/w",
        "host",
        5432,
        "name",
    )


def test_a_value_may_stand_in_a_file_but_not_in_both_places(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("value\n")
    assert read("NAME", {"NAME_FILE": str(path)}) == "value"
    with pytest.raises(EnvironmentValueError, match="NAME_FILE"):
        read("NAME", {"NAME": "value", "NAME_FILE": str(path)})
    with pytest.raises(EnvironmentValueError, match="cannot be read"):
        read("NAME", {"NAME_FILE": str(tmp_path / "absent")})


def test_a_flag_is_a_known_word() -> None:
    assert read_flag("F", default=False, environ={"F": "Yes"})
    assert read_flag("F", default=True, environ={})
    with pytest.raises(EnvironmentValueError, match="F must be"):
        read_flag("F", default=False, environ={"F": "maybe"})


def test_a_wrong_value_ends_a_command_with_one_line_and_no_traceback() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "manage.py", "check_exchange"],
        cwd=root,
        env={"DATABASE_URL": "postgresql://u:se/cret@h:5432/db", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_counts_are_whole_numbers_or_refused() -> None:
    assert read_count("N", default=4, environ={}) == 4
    assert read_count("N", default=4, environ={"N": "0"}) == 0
    for value in ("-1", "1.5", "x", "1" * 10, "٣"):
        with pytest.raises(EnvironmentValueError, match="whole number"):
            read_count("N", default=4, environ={"N": value})


def test_rate_limits_are_off_or_defaults_with_changes() -> None:
    assert read_rates("RATE_LIMITS", {"RATE_LIMITS": "off"}) == {}
    assert read_rates("RATE_LIMITS", {}) == dict(DEFAULT_RATES)
    changed = read_rates("RATE_LIMITS", {"RATE_LIMITS": "read=5/m:10"})
    assert changed == {**DEFAULT_RATES, "read": Rate(5, 60, 10)}
    with pytest.raises(EnvironmentValueError, match="RATE_LIMITS is off or a list of rates: 'fast'"):
        read_rates("RATE_LIMITS", {"RATE_LIMITS": "fast"})


def test_a_node_needs_no_cache_of_its_own() -> None:
    assert find_faults({**SOUND, "CACHE_URL": ""}) == []
