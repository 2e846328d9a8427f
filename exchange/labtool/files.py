"""Reading and writing single files so that a crash or a hostile file does no harm.

A written file is there as a whole or not at all. Which file means what is decided elsewhere.
"""

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from exchange.labtool.errors import DataError

# Far below the 1,024 open files that systems allow a process by default.
FILES_PER_BATCH: Final = 256
# What is shared at AMBER is not for everybody on this machine.
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
PUBLIC_FILE: Final = 0o644


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """The bytes of a file.

    Raises: FileNotFoundError, so that callers can say what is missing; DataError for anything else.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > max_bytes:
        raise DataError(f"{path} has more than {max_bytes} bytes")
    return data


def write_file(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Write, sync, rename over, sync the folder; for the owner alone unless `mode` says more. Raises: DataError."""
    _write([(path, data)], mode, str(os.getpid()))


def write_files(files: Iterable[tuple[Path, bytes]]) -> None:
    """As `write_file` for many, for the owner alone, in folders that only this process writes to. Raises: DataError.

    Each batch is written before the first of it is synced, so that the file system commits it as one: a page
    of a thousand objects costs a few commits instead of a thousand.
    """
    # What a crash left half-written gets overwritten when the same file comes again.
    _write(files, PRIVATE_FILE, "half")


def _write(files: Iterable[tuple[Path, bytes]], mode: int, tag: str) -> None:
    pending = iter(files)
    try:
        while batch := list(islice(pending, FILES_PER_BATCH)):
            _write_batch(batch, mode, tag)
    except OSError as error:
        raise DataError(f"cannot write {error.filename or 'a file'}: {error.strerror}") from None


def _write_batch(batch: list[tuple[Path, bytes]], mode: int, tag: str) -> None:
    staged: list[tuple[Path, Path, int]] = []
    is_done = False
    try:
        for path, data in batch:
            temporary = path.with_name(f".{path.name[:200]}.{tag}.tmp")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
            staged.append((path, temporary, descriptor))
            if mode == PRIVATE_FILE:
                # What a crash left half-written keeps the mode that it had.
                os.fchmod(descriptor, mode)
            with os.fdopen(os.dup(descriptor), "wb") as file:
                file.write(data)
        for _path, _temporary, descriptor in staged:
            os.fsync(descriptor)
        for path, temporary, _descriptor in staged:
            temporary.replace(path)
        is_done = True
    finally:
        for _path, temporary, descriptor in staged:
            os.close(descriptor)
            if not is_done:
                temporary.unlink(missing_ok=True)
    for folder in {path.parent for path, _data in batch}:
        sync_folder(folder)


def make_private_folder(folder: Path) -> None:
    """Create a folder, and those above it, for the owner alone; take it from others if it is there. Raises: OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(PRIVATE_FOLDER)


def create_secret_file(path: Path, data: bytes) -> None:
    """Create a file that only its owner can read. Raises: DataError if anything is there already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except FileExistsError:
        raise DataError(f"{path} is already there; nothing is overwritten") from None
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a crash. Raises: OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
