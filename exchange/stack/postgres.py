"""Sets up and starts the embedded PostgreSQL server and speaks SQL to it through the bundled ``psql``.

It decides neither whether a server is needed nor as whom it runs (``stack.py``, ``identity.py``), and knows no table.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.stack.binaries import PostgresInstall
from exchange.stack.errors import StackError
from exchange.stack.identity import Identity
from exchange.stack.ports import LOOPBACK
from exchange.stack.process import ManagedProcess
from exchange.stack.scram import scram_verifier
from exchange.stack.state import StackState, private_file
from exchange.stack.wire import postgres_accepts

SUPERUSER = "commonwatch_super"
OWNER_ROLE = "commonwatch_owner"
APP_ROLE = "commonwatch_app"
MAINTENANCE_DATABASE = "postgres"
INITDB_TIMEOUT_S = 120.0
# After a crash the server replays its log before it accepts anybody; it is alive and says so.
RECOVERY_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 30.0
SQL_TIMEOUT_S = 60.0
POLL_INTERVAL_S = 0.02

# Passwords only, over loopback only, and no Unix socket: its path may be at most 107 bytes long.
HBA = f"host all all {LOOPBACK}/32 scram-sha-256\n"
# No variables of the caller (PGHOST, LD_PRELOAD, LC_ALL ...) reach the programs.
PROGRAM_ENV: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "synchronous_commit": "on",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_checkpoints": "off",
    # Neither statements nor the values in them: the log is no place for intelligence.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Survives the death of the server, not that of the machine: for tests.
NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}

ROLES_SQL = """
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['{owner}', '{app}']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \\gexec
ALTER ROLE {owner} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '{owner_verifier}';
ALTER ROLE {app} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD '{app_verifier}';
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
"""

CREATE_DATABASE_SQL = """
SELECT format('CREATE DATABASE %I OWNER {owner}', '{name}')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;
GRANT CONNECT ON DATABASE "{name}" TO {app};
\\connect "{name}"
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {app};
"""


@dataclass(frozen=True)
class PostgresServer:
    """One PostgreSQL cluster in ``folder``, run by ``identity`` with the programs of ``install``."""

    folder: Path
    log_path: Path
    install: PostgresInstall
    identity: Identity
    state: StackState
    durable: bool
    shared_buffers_mb: int

    @property
    def is_initialised(self) -> bool:
        """Whether the cluster exists."""
        return (self.folder / "PG_VERSION").exists()

    def initialise(self, lock_fd: int) -> None:
        """Make the cluster. It appears in ``folder`` complete or not at all.

        Raises:
            StackError: initdb failed.
        """
        draft = self.folder.with_name(f".{self.folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password_file = draft.with_name(f".{self.folder.name}.password")
        try:
            with private_file(password_file) as fd, open(fd, "w", closefd=False) as file:
                file.write(self.state.superuser_password + "\n")
            self.identity.take(draft)
            self.identity.take(password_file)
            self._run_initdb(draft, password_file, lock_fd)
        finally:
            password_file.unlink(missing_ok=True)
        with (draft / "pg_hba.conf").open("w") as file:
            file.write(HBA)
            os.fsync(file.fileno())
        draft.rename(self.folder)

    def _run_initdb(self, folder: Path, password_file: Path, lock_fd: int) -> None:
        argv = [
            self.install.program("initdb"),
            *("--pgdata", str(folder), "--username", SUPERUSER, "--pwfile", str(password_file)),
            *("--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--auth", "scram-sha-256", "--data-checksums", "--no-instructions"),
            *([] if self.durable else ["--no-sync"]),
        ]
        process = ManagedProcess(
            "initdb",
            argv,
            PROGRAM_ENV,
            self.log_path,
            identity=self.identity,
            cwd=Path("/"),
            keep_fds=[lock_fd],
        )
        offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        process.start()
        if process.wait(INITDB_TIMEOUT_S) != 0:
            raise StackError(f"PostgreSQL could not be set up: {self._last_complaint(offset)}")

    def start(self, port: int, lock_fd: int) -> ManagedProcess:
        """Start the server on ``port``, handing the lock down to it, and wait until it accepts logins and
        has its roles.

        Raises:
            StackError: it ended or did not become ready.
        """
        settings = {**SETTINGS, **({} if self.durable else NOT_DURABLE)}
        settings |= {"port": str(port), "shared_buffers": f"{self.shared_buffers_mb}MB"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        process = ManagedProcess(
            "postgres",
            [self.install.program("postgres"), "-D", str(self.folder), *options],
            PROGRAM_ENV,
            self.log_path,
            stop_signal=signal.SIGINT,  # "fast shutdown": does not wait for clients
            stop_timeout_s=STOP_TIMEOUT_S,
            cwd=Path("/"),
            identity=self.identity,
            keep_fds=[lock_fd],
        )
        # Whoever holds the lock knows that no server lives, so this can only be a leftover. Left alone, PostgreSQL
        # would refuse to start if another process had got the number in it by now.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        process.start()
        try:
            self._wait_until_ready(process, port, offset)
            self.ensure_roles(port)
        except BaseException:
            process.stop()
            raise
        return process

    def _wait_until_ready(self, process: ManagedProcess, port: int, log_offset: int) -> None:
        deadline = time.monotonic() + RECOVERY_TIMEOUT_S
        while not postgres_accepts(port, OWNER_ROLE):
            if not process.is_alive():
                raise StackError(f"PostgreSQL did not start: {self._last_complaint(log_offset)}")
            if time.monotonic() > deadline:
                raise StackError(f"PostgreSQL was not ready after {RECOVERY_TIMEOUT_S:.0f} s, see {self.log_path}")
            time.sleep(POLL_INTERVAL_S)

    def _last_complaint(self, log_offset: int) -> str:
        """The last complaint in the log since ``log_offset``."""
        with self.log_path.open("rb") as log:
            log.seek(log_offset)
            lines = log.read().decode("utf-8", "replace").splitlines()
        complaints = [line for line in lines if "FATAL:" in line or "PANIC:" in line or "error:" in line]
        return f"{(complaints or lines or ['no output'])[-1].strip()} ({self.log_path})"

    def answers(self, port: int) -> bool:
        """Tell whether this very cluster answers on ``port``: it knows the password and names its folder."""
        if not postgres_accepts(port, OWNER_ROLE):
            return False
        try:
            folder = self.run_sql(port, MAINTENANCE_DATABASE, "SHOW data_directory;")
        except StackError:
            return False
        return folder == str(self.folder)

    def ensure_roles(self, port: int) -> None:
        """Create the two roles, or give them their attributes and passwords again."""
        verifiers = {
            "owner_verifier": scram_verifier(self.state.owner_password),
            "app_verifier": scram_verifier(self.state.app_password),
        }
        self.run_sql(port, MAINTENANCE_DATABASE, ROLES_SQL.format(owner=OWNER_ROLE, app=APP_ROLE, **verifiers))

    def create_database(self, port: int, name: str) -> None:
        """Create a database if there is none of that (already checked) name, and set its rights."""
        sql = CREATE_DATABASE_SQL.format(name=name, owner=OWNER_ROLE, app=APP_ROLE)
        self.run_sql(port, MAINTENANCE_DATABASE, sql)

    def drop_database(self, port: int, name: str) -> None:
        """Drop a database if it exists, cutting off who is connected."""
        self.run_sql(port, MAINTENANCE_DATABASE, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);')

    def database_names(self, port: int) -> list[str]:
        """The databases that belong to the owner role, sorted."""
        sql = f"SELECT datname FROM pg_database WHERE datdba = '{OWNER_ROLE}'::regrole ORDER BY 1;"  # noqa: S608  constant
        return self.run_sql(port, MAINTENANCE_DATABASE, sql).split()

    def run_sql(self, port: int, database: str, sql: str) -> str:
        """Run a psql script as the superuser and return what it prints, unaligned, without headings.

        Raises:
            StackError: the script failed, with the server's first line of complaint.
        """
        target = f"host={LOOPBACK} port={port} user={SUPERUSER} dbname={database} sslmode=disable gssencmode=disable"
        argv = [self.install.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", target]
        env = {**PROGRAM_ENV, "PGPASSWORD": self.state.superuser_password, "PGCONNECT_TIMEOUT": "10"}
        try:
            done = subprocess.run(
                argv, input=sql, env=env, capture_output=True, text=True, timeout=SQL_TIMEOUT_S, check=False, cwd="/"
            )
        except subprocess.TimeoutExpired as error:
            raise StackError(f"PostgreSQL did not answer within {SQL_TIMEOUT_S:.0f} s") from error
        if done.returncode != 0:
            raise StackError(f"PostgreSQL refused: {(done.stderr.strip() or 'no reason given').splitlines()[0]}")
        return done.stdout.strip()
