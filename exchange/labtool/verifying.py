"""Verify files against pins, without any network: one verdict per object.

The key chains come from the identities among the files. When an object was first seen is known only in a
folder that a pull filled; elsewhere the time of asking stands for it, or one that the caller can vouch for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from exchange.labtool.errors import DataError
from exchange.labtool.files import read_file
from exchange.labtool.finding import find_files
from exchange.labtool.judging import Keyring, Verdict, is_identity_with_keys
from exchange.labtool.pins import Pins
from exchange.labtool.shelf_memory import STATE_FOLDER, digest_of, read_first_seen
from exchange.stix.errors import StixError
from exchange.stix.reading import split_body

# A bundle of the largest publication, with room.
MAX_FILE_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Judged:
    """One object of a file, and what is to be said of it."""

    path: Path
    verdict: Verdict


def verify_paths(
    paths: Iterable[Path], pins: Pins, *, now: datetime, seen_at: datetime | None = None
) -> Iterator[Judged]:
    """Judge every object in files and folders, in order of name.

    Of a pulled folder only `objects/` is read; name `quarantine` or `withdrawn` themselves to look there.
    seen_at: when objects without a record were first seen, if the caller can vouch for that.

    Raises: DataError for a path that does not exist or cannot be read.
    """
    files = [file for path in paths for file in find_files(path, (".json",))]
    seen: dict[str, datetime] = {}
    for folder in {folder for file in files for folder in file.parents if (folder / STATE_FOLDER).is_dir()}:
        seen |= read_first_seen(folder)
    default = seen_at or now
    keyring = Keyring(pins)
    identities = (raw for file in files for raw in _objects_of(file) if is_identity_with_keys(raw))
    keyring.learn(((raw, seen.get(digest_of(raw), default)) for raw in identities), now=now)
    for file in files:
        yield from _judge_file(file, keyring, seen, now, default)


def _judge_file(
    file: Path, keyring: Keyring, seen: dict[str, datetime], now: datetime, default: datetime
) -> Iterator[Judged]:
    try:
        objects = split_body(_read(file))
    except StixError as error:
        yield Judged(file, Verdict(b"", reason=str(error)))
        return
    for raw in objects:
        yield Judged(file, keyring.judge(raw, now=now, first_seen=seen.get(digest_of(raw), default)))


def _objects_of(file: Path) -> list[bytes]:
    try:
        return split_body(_read(file))
    except StixError:
        return []


def _read(file: Path) -> bytes:
    try:
        return read_file(file, max_bytes=MAX_FILE_BYTES)
    except FileNotFoundError:
        raise DataError(f"{file} is gone") from None
