"""Which files a path of the command line means: a file itself, of a folder those with the right endings, in order."""

from collections.abc import Collection
from pathlib import Path

from exchange.labtool.errors import DataError
from exchange.labtool.shelf import QUARANTINE, WITHDRAWN, is_object_file
from exchange.labtool.shelf_memory import STATE_FOLDER


def find_files(path: Path, endings: Collection[str]) -> list[Path]:
    """The files of a path, sorted. Of a folder that a pull filled, only what was verified.

    Raises: DataError for a path that does not exist.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"no such file or folder: {path}")
    left_out = {path / name for name in (QUARANTINE, WITHDRAWN, STATE_FOLDER) if (path / STATE_FOLDER).is_dir()}
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix in endings
        and file.is_file()
        and is_object_file(file)
        and not left_out.intersection(file.parents)
    )
