"""A DuckDB of one backtest: it reads the given files, writes into a folder of its own, and can do nothing else.

No other file, no network, no extension, no change of settings once it runs. Files are opened by links with plain names,
so that no name of a file is ever taken for a pattern; errors name the file as it was given.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import duckdb

from exchange.stix.errors import shown
from signatures.backtest.errors import BacktestError
from signatures.duckdb_backend import literals

Progress = Callable[[str], None]
DEFAULT_MEMORY: Final = "3GB"
_POLL_S: Final = 0.5
# A path is shown whole, what an engine says of a long line of a log is not.
MAX_PRINTED_CHARS: Final = 1_000
# Where DuckDB begins to say which of its settings could be changed.
_ADVICE: Final = re.compile(
    r"\s*(?:Try setting '|Possible fixes:|Possible solutions:|The search space used was:|If this error occurred during)"
)
_APPROXIMATE: Final = "line/object number information is approximate"
_LINE: Final = re.compile(r", in line \d+")
_SAFE: Final = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "preserve_insertion_order": "false",
}


class Engine(AbstractContextManager["Engine"]):
    """Runs queries. `memory` is DuckDB's own limit; what does not fit goes to a folder below `temporary`."""

    def __init__(
        self, files: Iterable[Path], *, memory: str, temporary: Path | None, threads: int | None, progress: Progress
    ) -> None:
        """Open it. Raises: BacktestError for a setting that DuckDB does not know or a folder that cannot be used."""
        self._progress = progress
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="commonwatch-backtest-", dir=temporary))
        except OSError as error:
            raise BacktestError(f"cannot use {temporary or 'the temporary folder'}: {error.strerror}") from None
        self._names: dict[str, Path] = {}
        try:
            self._links = {path: self._link(path, number) for number, path in enumerate(files)}
            self._connection = self._connect(memory, threads)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def link_of(self, path: Path) -> str:
        """The literal by which a query names a file."""
        return literals.text(self._links[path])

    def run(self, sql: str, doing: str) -> None:
        """Run a statement, and show how far it is. Raises: BacktestError."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(done, doing), daemon=True)
        watcher.start()
        try:
            self._connection.execute(sql)
        except duckdb.Error as error:
            raise self._explain(error) from None
        finally:
            done.set()
            watcher.join()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query whose answer is small. Raises: BacktestError."""
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise self._explain(error) from None

    def row(self, sql: str) -> tuple[Any, ...]:
        """The one row of a query. Raises: BacktestError."""
        return self.rows(sql)[0]

    def _link(self, path: Path, number: int) -> str:
        link = self._folder / f"log-{number}.{_ending(path)}"
        link.symlink_to(path.resolve())
        self._names[str(link)] = path
        return str(link)

    def _connect(self, memory: str, threads: int | None) -> duckdb.DuckDBPyConnection:
        settings: dict[str, str | bool | int | float | list[str]] = {
            **_SAFE,
            "memory_limit": memory,
            "temp_directory": str(self._folder / "spill"),
        }
        if threads is not None:
            settings["threads"] = str(threads)
        try:
            connection = duckdb.connect(":memory:", config=settings)
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET enable_progress_bar = true")
            connection.execute("SET enable_progress_bar_print = false")
            allowed = ", ".join(literals.text(str(path.resolve())) for path in self._names.values())
            connection.execute(f"SET allowed_paths = [{allowed}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
        except duckdb.Error as error:
            raise BacktestError(f"the engine cannot start: {_first_line(error)}") from None
        return connection

    def _watch(self, done: threading.Event, doing: str) -> None:
        self._progress(doing)
        while not done.wait(_POLL_S):
            percent = self._connection.query_progress()
            self._progress(f"{doing} {percent:.0f} %" if percent >= 0 else doing)

    def _explain(self, error: duckdb.Error) -> BacktestError:
        if isinstance(error, duckdb.OutOfMemoryException):
            return BacktestError("a step needs more memory or temporary disk than it may take: raise --memory")
        text = _fault_in(str(error))
        named = [link for link in self._names if link in str(error)]
        # The longest, should one name begin another.
        for link in sorted(named, key=len, reverse=True)[:1]:
            path = str(self._names[link])
            text = text.replace(link, path) if link in text else f"{path}: {text}"
        return BacktestError(printable(" ".join(text.split())))


def printable(text: str) -> str:
    """A text of an engine or a file on one line, cut, without characters that move a terminal's cursor."""
    return "".join(character if character.isprintable() else " " for character in text[:MAX_PRINTED_CHARS])


def _fault_in(message: str) -> str:
    """What DuckDB says is wrong, without its advice on settings and without our own query."""
    text = _ADVICE.split(message.partition("\n\n")[0].partition("\nLINE ")[0], maxsplit=1)[0]
    # A line that is not the line misleads; the value that is wrong stands in the message.
    return _LINE.sub("", text, count=1) if _APPROXIMATE in message else text


def _ending(path: Path) -> str:
    """The ending by which DuckDB knows how a file is packed."""
    suffixes = [suffix for suffix in path.suffixes[-2:] if suffix in {".parquet", ".csv", ".gz", ".zst"}]
    return "".join(suffixes).lstrip(".") or "json"


def _first_line(error: duckdb.Error) -> str:
    return shown(str(error).split("\n", 1)[0])
