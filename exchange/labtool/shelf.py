"""The folder that a pull fills: where each file stands, and what is remembered between pulls.

    objects/<producer>/<object id>/<version>.json   verified, the bytes as received
    objects/fixed/<object id>/<version>.json        what has one body for everybody
    quarantine/<sha256>.json and .reason.json       not verified, and why
    withdrawn/<producer>/<object id>/...            what may no longer be used, and why
    .state/                                         what is remembered between pulls: shelf_memory.py

Names are built from checked ids and digests alone, never from other text of an object. It writes and moves;
what belongs where is decided in pulling.py.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from exchange.labtool.errors import DataError
from exchange.labtool.files import PRIVATE_FILE, make_private_folder, read_file, sync_folder, write_file, write_files
from exchange.labtool.judging import Verdict
from exchange.labtool.shelf_memory import (
    STATE_FOLDER,
    append_first_seen,
    digest_of,
    read_first_seen,
    read_state,
    write_state,
)
from exchange.labtool.transport import MAX_RESPONSE_BYTES
from exchange.stix.errors import StixError
from exchange.stix.identifiers import is_identifier
from exchange.stix.limits import MAX_OBJECT_BYTES
from exchange.stix.timestamps import format_taxii, ordering_key, parse_timestamp

QUARANTINE: Final = "quarantine"
WITHDRAWN: Final = "withdrawn"
OBJECTS: Final = "objects"
REASON_SUFFIX: Final = ".reason.json"
# What is too large for an object goes to quarantine and is read again: it cannot be larger than an answer.
MAX_KEPT_BYTES: Final = MAX_RESPONSE_BYTES


class Shelf(AbstractContextManager["Shelf"]):
    """One folder, held by one process at a time."""

    def __init__(self, folder: Path, node: str) -> None:
        """Open or create the folder. Raises: DataError if it follows another node or is in use."""
        self.folder = folder
        try:
            make_private_folder(folder)
            for name in (OBJECTS, QUARANTINE, WITHDRAWN, STATE_FOLDER):
                make_private_folder(folder / name)
            self._lock = os.open(folder / STATE_FOLDER / "lock", os.O_WRONLY | os.O_CREAT, PRIVATE_FILE)
        except OSError as error:
            raise DataError(f"cannot use {folder}: {error.strerror}") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.state = read_state(folder, node)
            self._first_seen = read_first_seen(folder)
        except BaseException as error:
            os.close(self._lock)
            if isinstance(error, BlockingIOError):
                raise DataError(f"another pull is at work in {folder}") from None
            raise

    def __exit__(self, *_exception: object) -> None:
        os.close(self._lock)

    def save_state(self) -> None:
        """Make the state last. Raises: DataError."""
        write_state(self.folder, self.state)

    def note_first_seen(self, raws: Iterable[bytes], now: datetime) -> None:
        """Remember when bytes came for the first time, before they are judged or kept. Raises: DataError."""
        digests = dict.fromkeys(digest_of(raw) for raw in raws)
        new = [digest for digest in digests if digest not in self._first_seen]
        append_first_seen(self.folder, new, now)
        self._first_seen |= dict.fromkeys(new, now)

    def first_seen(self, raw: bytes, default: datetime) -> datetime:
        """When these bytes came for the first time."""
        return self._first_seen.get(digest_of(raw), default)

    def path_of(self, verdict: Verdict) -> Path | None:
        """Where a verified object belongs; None if its id or version makes no safe name."""
        name = _version_name(verdict)
        if name is None or not is_identifier(verdict.id):
            return None
        producer = "fixed" if verdict.is_fixed else verdict.producer
        if producer is None or not (verdict.is_fixed or is_identifier(producer)):
            return None
        return self.folder / OBJECTS / producer / str(verdict.id) / f"{name}.json"

    def store(self, verdicts: Iterable[tuple[Path, Verdict]]) -> None:
        """Write verified objects where `path_of` says. Raises: DataError."""
        batch = list(verdicts)
        self._make_folders({path.parent for path, _verdict in batch})
        write_files((path, verdict.raw) for path, verdict in batch)

    def quarantine(self, verdicts: Iterable[Verdict], collection: str, now: datetime) -> None:
        """Put what failed aside, with the reason beside it. Raises: DataError."""
        files = []
        for verdict in verdicts:
            reason = {"reason": verdict.reason, "id": verdict.id, "version": verdict.version, "kid": verdict.kid}
            reason |= {"collection": collection, "at": format_taxii(now)}
            path = self.folder / QUARANTINE / digest_of(verdict.raw)
            files.append((path.with_suffix(REASON_SUFFIX), _pretty(reason)))
            files.append((path.with_suffix(".json"), verdict.raw))
        write_files(files)

    def quarantined(self) -> list[Path]:
        """The files in quarantine."""
        return _objects_in(self.folder / QUARANTINE)

    def release(self, path: Path) -> None:
        """Take a file out of quarantine, once it stands elsewhere."""
        path.unlink(missing_ok=True)
        path.with_suffix(REASON_SUFFIX).unlink(missing_ok=True)

    def stored(self) -> Iterator[Path]:
        """All verified objects on the shelf."""
        return iter(_objects_in(self.folder / OBJECTS))

    def stored_identities(self) -> list[Path]:
        """Verified identities that are their own producers: those that carry keys."""
        folder = self.folder / OBJECTS
        return [path for name in sorted(os.listdir(folder)) for path in _objects_in(folder / name / name)]

    def discard(self, path: Path, raw: bytes) -> None:
        """Remove a stored version, once its bytes are kept in quarantine."""
        write_file(self.folder / QUARANTINE / f"{digest_of(raw)}.json", raw)
        path.unlink(missing_ok=True)

    def stored_versions(self, object_id: str, producer: str | None) -> list[Path]:
        """The versions of one object by one producer on the shelf."""
        return _objects_in(self.folder / OBJECTS / producer / object_id) if producer else []

    def withdraw(self, path: Path, reason: dict[str, str]) -> None:
        """Move a stored version aside, with the reason beside it. Raises: DataError."""
        target = self.folder / WITHDRAWN / path.relative_to(self.folder / OBJECTS)
        self._make_folders([target.parent])
        write_file(target.with_suffix(REASON_SUFFIX), _pretty(reason))
        self._move(path, target)

    def withdrawn_versions(self, object_id: str, producer: str) -> list[tuple[Path, dict[str, Any]]]:
        """The versions of one object by one producer that were moved aside, each with the reason."""
        return [(path, read_reason(path)) for path in _objects_in(self.folder / WITHDRAWN / producer / object_id)]

    def restore(self, path: Path) -> None:
        """Move a withdrawn version back. Raises: DataError."""
        target = self.folder / OBJECTS / path.relative_to(self.folder / WITHDRAWN)
        self._make_folders([target.parent])
        self._move(path, target)
        path.with_suffix(REASON_SUFFIX).unlink(missing_ok=True)

    def forget_withdrawn(self, path: Path) -> None:
        """Drop the withdrawn copy of what stands in `objects/` again."""
        copy = self.folder / WITHDRAWN / path.relative_to(self.folder / OBJECTS)
        copy.unlink(missing_ok=True)
        copy.with_suffix(REASON_SUFFIX).unlink(missing_ok=True)

    def _make_folders(self, folders: Iterable[Path]) -> None:
        """Create `<part>/<producer>/<object id>` folders so that they survive a crash."""
        new = [folder for folder in folders if not folder.is_dir()]
        for folder in new:
            make_private_folder(folder)
        for parent in {parent for folder in new for parent in (folder.parent, folder.parent.parent)}:
            sync_folder(parent)

    def _move(self, source: Path, target: Path) -> None:
        try:
            source.replace(target)
            sync_folder(target.parent)
            sync_folder(source.parent)
        except OSError as error:
            raise DataError(f"cannot move {source}: {error.strerror}") from None


def read_object_file(path: Path) -> bytes:
    """The bytes of an object on a shelf. Raises: DataError."""
    try:
        return read_file(path, max_bytes=MAX_KEPT_BYTES)
    except FileNotFoundError:
        raise DataError(f"{path} is gone") from None


def read_reason(path: Path) -> dict[str, Any]:
    """Why a file stands where it stands; {} if nothing readable says so."""
    try:
        reason = json.loads(read_file(path.with_suffix(REASON_SUFFIX), max_bytes=MAX_OBJECT_BYTES))
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return reason if isinstance(reason, dict) else {}


def _version_name(verdict: Verdict) -> str | None:
    """A file name for a version, the same for every spelling of one time."""
    version = verdict.version
    if version is None:
        return None
    if version.isascii() and version.isdigit():
        # Two labs, or two keys, may sign one observable in the same second.
        return f"{version[:20]}.{verdict.kid}"
    try:
        parse_timestamp(version)
    except StixError:
        return None
    whole, _point, fraction = ordering_key(version).partition(".")
    return f"{whole.replace(':', '').replace('-', '')}.{fraction:0<3}Z"


def _objects_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.json") if is_object_file(path))


def is_object_file(path: Path) -> bool:
    """Whether a file of a pulled folder holds an object, and no reason or half-written copy of one."""
    return not path.name.startswith(".") and not path.name.endswith(REASON_SUFFIX)


def _pretty(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
