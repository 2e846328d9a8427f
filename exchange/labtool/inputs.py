"""What commands read: a file or stdin, and a key file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from exchange.labtool.errors import DataError
from exchange.labtool.files import read_file
from exchange.labtool.key_files import KeyFile, identity_beside, read_identity, read_key_file
from exchange.labtool.output import Output
from exchange.labtool.verifying import MAX_FILE_BYTES
from exchange.stix.identifiers import is_identifier
from exchange.stix.reading import split_body

STDIN: Final = "-"


MAX_FILE_VALUES: Final = 50_000_000
"""JSON values in a file of one's own: some million networks with all that is said of each."""


def objects_in(bodies: Sequence[bytes]) -> list[bytes]:
    """The objects in the contents of files, each one object, a list, a bundle or an envelope.

    Raises: StixError: one is none of these.
    """
    return [raw for body in bodies for raw in split_body(body, max_values=MAX_FILE_VALUES)]


def read_input(name: str) -> bytes:
    """The bytes of a file, or of stdin for `-`. Raises: DataError."""
    if name == STDIN:
        body = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        if len(body) > MAX_FILE_BYTES:
            raise DataError(f"stdin has more than {MAX_FILE_BYTES} bytes")
        return body
    try:
        return read_file(Path(name), max_bytes=MAX_FILE_BYTES)
    except FileNotFoundError:
        raise DataError(f"no such file: {name}") from None


def open_key_file(path: Path, output: Output) -> KeyFile:
    """The key in a file; a note if others can read it. Raises: LabToolError."""
    key_file = read_key_file(path)
    if key_file.is_exposed:
        output.note(f"{path} can be read by others on this machine: chmod 600 {path}")
    return key_file


def lab_identity_of(named: str | None, key_file: KeyFile | None) -> str | None:
    """The id of our identity: named itself or by its file, or found beside the key."""
    if named is None:
        return identity_beside(key_file) if key_file is not None else None
    if is_identifier(named):
        return named
    return str(read_identity(Path(named)).members.get("id"))
