"""What a pulled folder remembers between pulls: how far it came, what was revoked, when things were first seen.

    .state/state.json          places in the collections, revocations, key states; replaced as a whole
    .state/first-seen.jsonl    when bytes came for the first time, by their SHA-256; only ever appended to

The state says that a page was read only after everything of it is on disk, so a crash repeats a page and
loses none. The journal is written before the objects, so no object lacks its time.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from exchange.labtool.errors import DataError
from exchange.labtool.files import PRIVATE_FILE, read_file, write_file
from exchange.stix.errors import StixError
from exchange.stix.timestamps import format_taxii, parse_timestamp

STATE_FOLDER: Final = ".state"
STATE_FILE: Final = "state.json"
FIRST_SEEN_FILE: Final = "first-seen.jsonl"
MAX_STATE_BYTES: Final = 64 * 1024 * 1024
MAX_JOURNAL_BYTES: Final = 4 * 1024 * 1024 * 1024


@dataclass(slots=True)
class State:
    """What a pull remembers. node: origin of the node that this folder follows.

    places: by collection, the date_added up to which everything is on disk. revoked: by "producer/id", the
    version that revoked it. key_states: as `Keyring.key_states` at the end of the last pull.
    """

    node: str
    places: dict[str, str] = field(default_factory=dict)
    revoked: dict[str, str] = field(default_factory=dict)
    key_states: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any) -> "State":
        """The state that a file says. Raises: ValueError, TypeError for another form."""
        state = cls(**value)
        if not isinstance(state.node, str):
            raise TypeError
        for part in (state.places, state.revoked, state.key_states):
            if not isinstance(part, dict):
                raise TypeError
        for place in state.places.values():
            parse_place(place)
        return state

    def to_bytes(self) -> bytes:
        """The state as it stands in its file."""
        return (json.dumps({name: getattr(self, name) for name in self.__slots__}, indent=1) + "\n").encode()


def read_state(folder: Path, node: str) -> State:
    """The state of a folder that follows `node`; a new one if there is none.

    Raises: DataError for a damaged file, or a folder that follows another node.
    """
    path = folder / STATE_FOLDER / STATE_FILE
    try:
        state = State.of(json.loads(read_file(path, max_bytes=MAX_STATE_BYTES)))
    except FileNotFoundError:
        return State(node)
    except (ValueError, TypeError, RecursionError):
        raise DataError(f"{path} is damaged; pull into a new folder") from None
    if state.node != node:
        raise DataError(f"{folder} follows {state.node}; use another folder for {node}")
    return state


def write_state(folder: Path, state: State) -> None:
    """Make a state last. Raises: DataError."""
    write_file(folder / STATE_FOLDER / STATE_FILE, state.to_bytes())


def append_first_seen(folder: Path, digests: Iterable[str], when: datetime) -> None:
    """Remember that bytes came now for the first time. Raises: DataError."""
    lines = [f'{{"sha256":"{digest}","first_seen":"{format_taxii(when)}"}}\n' for digest in digests]
    if not lines:
        return
    path = folder / STATE_FOLDER / FIRST_SEEN_FILE
    try:
        with open(path, "ab", opener=_open_privately) as journal:
            # A line that a crash cut off must not swallow the next one.
            journal.write(("\n" + "".join(lines)).encode())
            journal.flush()
            os.fsync(journal.fileno())
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None


def _open_privately(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


def read_first_seen(folder: Path) -> dict[str, datetime]:
    """When each file of a pulled folder was first seen, by SHA-256; {} for another folder. Raises: DataError."""
    try:
        journal = read_file(folder / STATE_FOLDER / FIRST_SEEN_FILE, max_bytes=MAX_JOURNAL_BYTES)
    except FileNotFoundError:
        return {}
    seen: dict[str, datetime] = {}
    for line in journal.splitlines():
        try:
            entry = json.loads(line)
            # The first line about a file counts: a later one can only be a repetition.
            seen.setdefault(str(entry["sha256"]), parse_timestamp(str(entry["first_seen"])))
        except (ValueError, KeyError, TypeError, RecursionError, StixError):
            # An empty line, or one that a crash cut off: its files count as new when they come again.
            continue
    return seen


def parse_place(place: Any) -> datetime:
    """The time up to which a collection was read. Raises: ValueError."""
    try:
        return parse_timestamp(place)
    except (StixError, TypeError):
        raise ValueError("not a timestamp") from None


def digest_of(raw: bytes) -> str:
    """The SHA-256 of exact bytes, in hexadecimal."""
    return sha256(raw).hexdigest()
