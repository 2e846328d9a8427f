"""The embedded stack of one data directory: PostgreSQL and Valkey, started once and shared by all commands.

A command that finds a healthy server uses it and leaves it alone; a command that starts one stops it again, and takes
it along when it dies. Databases and their addresses are given out here; what is in them is not known here.
"""

import dataclasses
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange.stack.binaries import find_postgres, find_valkey
from exchange.stack.broker import DATABASES, ValkeyServer
from exchange.stack.errors import StackError
from exchange.stack.identity import RootMode, choose_identity
from exchange.stack.locks import held_lock, is_locked, try_lock
from exchange.stack.ports import LOOPBACK, free_port
from exchange.stack.postgres import APP_ROLE, MAINTENANCE_DATABASE, OWNER_ROLE, PostgresServer
from exchange.stack.process import ManagedProcess
from exchange.stack.relocation import give_to, home_for, install_for
from exchange.stack.state import StackState, load_state, save_state
from exchange.stack.wire import postgres_accepts, valkey_answers

# Longer than a first start on a slow machine.
START_LOCK_TIMEOUT_S = 180.0
# How long a server may be refused or not answer after a crash: its last processes go within seconds.
RETRY_S = 15.0
RETRY_INTERVAL_S = 0.1
# A PostgreSQL identifier (63 bytes) that needs no escaping in SQL or in a URL.
DATABASE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
SERVERS = ("postgres", "valkey")
RESERVED_DATABASES = {MAINTENANCE_DATABASE, "template0", "template1"}


class Stack:
    """PostgreSQL and Valkey in ``data_dir``. Nothing happens before ``start``.

    ``durable=False`` leaves out fsync: committed data survives the death of the server, not of the machine.
    ``root_mode`` matters to user 0 only and is for tests: how PostgreSQL is kept from running as root.
    """

    name = "stack"
    restart = True

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        shared_buffers_mb: int = 256,
        root_mode: RootMode = "auto",
    ) -> None:
        self.data_dir = Path(os.path.abspath(data_dir))
        self.durable = durable
        self.shared_buffers_mb = shared_buffers_mb
        self.root_mode: RootMode = root_mode
        self._own: dict[str, ManagedProcess] = {}
        self._postgres: PostgresServer | None = None
        self._valkey: ValkeyServer | None = None

    # --- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make sure that both servers run: use those that do, start those that do not.

        Raises:
            StackError: a server cannot be set up, started or reached; the message is one line.
        """
        try:
            self._prepare_data_dir()
            with held_lock(self.data_dir / "stack.lock", START_LOCK_TIMEOUT_S):
                self._start_locked()
        except OSError as error:
            self.stop()
            raise StackError(f"the data directory {self.data_dir} cannot be used: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what this object started, Valkey first. A server that was found running goes on."""
        for process in reversed(list(self._own.values())):
            process.stop()
        self._own.clear()

    def running(self) -> bool:
        """Tell whether both servers answer, whoever started them."""
        state = load_state(self._state_path)
        if state is None:
            return False
        # Only a port that is surely ours is given the password.
        if not all(is_locked(self._lock_path(name)) for name in SERVERS):
            return False
        broker_answers = valkey_answers(state.broker_port, state.broker_password)
        return broker_answers and postgres_accepts(state.postgres_port, OWNER_ROLE)

    def is_alive(self) -> bool:
        """Tell whether both servers live; cheap where this object started them. For the supervisor."""
        if len(self._own) == len(SERVERS):
            return all(process.is_alive() for process in self._own.values())
        return self.running()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- databases and addresses --------------------------------------------------------------------------------

    def create_database(self, name: str) -> None:
        """Create a database that the owner role owns and the app role may connect to, unless it is there.

        Raises:
            StackError: a bad name, or the servers are not started.
        """
        _check_database_name(name)
        with held_lock(self.data_dir / "stack.lock", START_LOCK_TIMEOUT_S):
            self._started_postgres().create_database(self._state().postgres_port, name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, cutting off who is connected."""
        _check_database_name(name)
        self._started_postgres().drop_database(self._state().postgres_port, name)

    def databases(self) -> list[str]:
        """The names of the databases made by ``create_database``, sorted."""
        return self._started_postgres().database_names(self._state().postgres_port)

    def owner_url(self, database: str) -> str:
        """Address for the role that owns the database and runs migrations. Holds a password: not for logs."""
        return self._url(OWNER_ROLE, self._state().owner_password, database)

    def app_url(self, database: str) -> str:
        """Address for the plain role that the exchange works under. Holds a password: not for logs."""
        return self._url(APP_ROLE, self._state().app_password, database)

    def broker_url(self, number: int = 0) -> str:
        """Address of one of Valkey's numbered databases. Holds a password: not for logs."""
        if not 0 <= number < DATABASES:
            raise StackError(f"the broker has databases 0 to {DATABASES - 1}, not {number}")
        state = self._state()
        return f"redis://:{state.broker_password}@{LOOPBACK}:{state.broker_port}/{number}"

    def _url(self, role: str, password: str, database: str) -> str:
        _check_database_name(database)
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self._state().postgres_port}/{database}"

    # --- how ----------------------------------------------------------------------------------------------------

    @property
    def _state_path(self) -> Path:
        return self.data_dir / "stack.json"

    def _state(self) -> StackState:
        state = load_state(self._state_path)
        if state is None:
            raise StackError(f"the stack in {self.data_dir} has never been started")
        return state

    def _lock_path(self, name: str) -> Path:
        # Beside the data, so that two links to the same data share it.
        return (self.data_dir / name).resolve().with_name(f"{name}.lock")

    def _started_postgres(self) -> PostgresServer:
        if self._postgres is None:
            raise StackError("the stack has not been started")
        return self._postgres

    def _prepare_data_dir(self) -> None:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        (self.data_dir / "log").mkdir(mode=0o700, exist_ok=True)

    def _start_locked(self) -> None:
        state = load_state(self._state_path)
        if state is None:
            if (self.data_dir / "postgres").exists():
                raise StackError(f"{self._state_path} is missing, but {self.data_dir}/postgres exists: restore it")
            state = StackState()
            save_state(self._state_path, state)
        self._postgres = self._find_postgres(state)
        self._valkey = self._find_valkey(state)
        self._ensure("postgres", self._postgres.answers, self._launch_postgres)
        self._ensure("valkey", self._valkey.answers, self._launch_valkey)

    def _find_postgres(self, state: StackState) -> PostgresServer:
        link = self.data_dir / "postgres"
        install = find_postgres()
        owner = link.stat().st_uid if link.exists() else None
        reach = [self.data_dir, *install.folders, *([link] if link.exists() else [])]
        identity = choose_identity(owner, reach, self.root_mode)
        home = home_for(identity, self.data_dir)
        if home != self.data_dir and not link.is_symlink():
            if link.exists():
                raise StackError(f"user id {identity.uid}, as which PostgreSQL has to run, cannot enter {link}")
            link.symlink_to(home / "postgres")
        return PostgresServer(
            folder=link.resolve(),
            log_path=self.data_dir / "log" / "postgres.log",
            install=install_for(identity, install, home),
            identity=identity,
            state=state,
            durable=self.durable,
            shared_buffers_mb=self.shared_buffers_mb,
        )

    def _find_valkey(self, state: StackState) -> ValkeyServer:
        log_path = self.data_dir / "log" / "valkey.log"
        return ValkeyServer(self.data_dir / "valkey", log_path, find_valkey(), state.broker_password)

    def _ensure(self, name: str, answers: Callable[[int], bool], launch: Callable[[int, int], ManagedProcess]) -> None:
        """Use the server if it lives and answers, start it if it does not live, wait if it is neither."""
        deadline = time.monotonic() + RETRY_S
        while True:
            lock_fd = try_lock(self._lock_path(name))
            try:
                self._forget_if_dead(name)
                if lock_fd is not None:
                    self._own[name] = launch(self._choose_port(name), lock_fd)
                    return
                if answers(self._port(name)):
                    return
                problem = StackError(f"{name} is running but does not answer, see {self.data_dir}/log/{name}.log")
            except StackError as error:
                problem = error
            finally:
                if lock_fd is not None:
                    os.close(lock_fd)
            if time.monotonic() > deadline:
                raise problem
            time.sleep(RETRY_INTERVAL_S)

    def _forget_if_dead(self, name: str) -> None:
        process = self._own.get(name)
        if process is not None and not process.is_alive():
            process.stop()
            del self._own[name]

    def _port(self, name: str) -> int:
        state = self._state()
        return state.postgres_port if name == "postgres" else state.broker_port

    def _choose_port(self, name: str) -> int:
        """The port of last time if it is free, else another; kept before the server starts, so that others find it."""
        state = self._state()
        if name == "postgres":
            state = dataclasses.replace(state, postgres_port=free_port(state.postgres_port or None))
        else:
            state = dataclasses.replace(state, broker_port=free_port(state.broker_port or None))
        save_state(self._state_path, state)
        return self._port(name)

    def _launch_postgres(self, port: int, lock_fd: int) -> ManagedProcess:
        server = self._started_postgres()
        if not server.is_initialised:
            server.initialise(lock_fd)
        give_to(server.identity, server.folder)
        return server.start(port, lock_fd)

    def _launch_valkey(self, port: int, lock_fd: int) -> ManagedProcess:
        if self._valkey is None:
            raise StackError("the stack has not been started")
        return self._valkey.start(port, lock_fd)


def _check_database_name(name: str) -> None:
    if not DATABASE_NAME.fullmatch(name) or name in RESERVED_DATABASES:
        raise StackError(f"{name!r} is no database name: a to z, 0 to 9, - and _, beginning with a letter, at most 63")
