"""Reads the files that a lab names: Sigma texts, and STIX objects as they are or as `commonwatch pull` files them.

A Sigma file ends in .yml or .yaml. A .json file holds STIX: an object, a list or a bundle. Of a pulled folder counts
what was verified: `objects/`, and `withdrawn/` with the reason that stands beside each file; never `quarantine/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exchange.stix.errors import StixError
from exchange.stix.limits import MAX_OBJECT_BYTES
from exchange.stix.reading import parse_value, read_object, split_body
from signatures.intake.members import text_in
from signatures.intake.standing import ASIDE_STATES, WITHDRAWN
from signatures.sigma.limits import MAX_TEXT_BYTES

SIGMA_ENDINGS: Final = frozenset({".yml", ".yaml"})
STIX_ENDINGS: Final = frozenset({".json"})
MAX_STIX_BYTES: Final = 256 * 1024 * 1024
"""As much as `commonwatch verify` reads of a file."""

QUARANTINE_FOLDER: Final = "quarantine"
WITHDRAWN_FOLDER: Final = "withdrawn"
_REASON: Final = ".reason.json"
_TELLING: Final = frozenset({"indicator", "identity", "opinion", "relationship", "attack-pattern"})
"""Types that are signatures or say something of one. A pulled folder may hold a million others."""


class IntakeError(Exception):
    """A path that cannot be used at all. One line that names it; what stands in it is not yet safe to print."""


@dataclass(frozen=True, slots=True)
class SigmaText:
    """The text of a Sigma file, unchecked. origin: the file."""

    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class StixObject:
    """A sound JSON object, its meaning unchecked. aside: the state for which a pull put it aside, "" if it did not."""

    members: Mapping[str, Any]
    origin: str = ""
    aside: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A file of which nothing is used, and why: one sentence."""

    origin: str
    message: str


@dataclass(slots=True)
class Given:
    """All that was given."""

    texts: list[SigmaText] = field(default_factory=list)
    objects: list[StixObject] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_given(paths: Iterable[Path], progress: Callable[[str], None] = lambda _text: None) -> Given:
    """Read all files of the paths, each once.

    Raises: IntakeError for a path that is not there, that is neither Sigma nor STIX by its ending, or that was named
    and holds no STIX object.
    """
    files = dict.fromkeys(found for path in paths for found in _files_of(path))
    given = Given()
    for number, (file, folder) in enumerate(files, 1):
        progress(f"reading file {number:,} of {len(files):,}")
        try:
            if file.suffix.lower() in SIGMA_ENDINGS:
                given.texts.append(SigmaText(str(file), _read(file, MAX_TEXT_BYTES).decode("utf-8")))
            else:
                given.objects += _objects_in(file, folder)
        except UnicodeDecodeError as error:
            given.faults.append(Fault(str(file), f"the text is not UTF-8 (byte {error.start})"))
        except StixError as error:
            given.faults.append(Fault(str(file), f"no STIX: {error}"))
        except _UnreadableError as error:
            given.faults.append(Fault(str(file), str(error)))
    return given


def _files_of(path: Path) -> Iterator[tuple[Path, Path | None]]:
    """Files, each with the folder that was named, None for a file that was."""
    if not path.is_dir():
        if not path.exists():
            raise IntakeError(f"{path}: no such file or folder")
        if path.suffix.lower() not in SIGMA_ENDINGS | STIX_ENDINGS:
            raise IntakeError(f"{path}: a signature is a .yml, .yaml or .json file")
        yield path, None
        return
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path).parts
        is_hidden = any(part.startswith(".") or part == QUARANTINE_FOLDER for part in below)
        is_right = file.suffix.lower() in SIGMA_ENDINGS | STIX_ENDINGS and not file.name.endswith(_REASON)
        if is_right and not is_hidden and file.is_file():
            yield file, path


class _UnreadableError(Exception):
    """A file that the system does not give out, or that is too large."""


def _read(file: Path, max_bytes: int) -> bytes:
    try:
        with file.open("rb") as opened:
            body = opened.read(max_bytes + 1)
    except OSError as error:
        raise _UnreadableError(f"cannot be read: {error.strerror}") from None
    if len(body) > max_bytes:
        raise _UnreadableError(f"has more than {max_bytes} bytes")
    return body


def _objects_in(file: Path, folder: Path | None) -> Iterator[StixObject]:
    found = [read_object(raw).members for raw in split_body(_read(file, MAX_STIX_BYTES))]
    if folder is None and not any(isinstance(members.get("type"), str) for members in found):
        raise IntakeError(f"{file} holds no STIX object")
    aside = _aside(file, folder)
    telling = (members for members in found if text_in(members, "type") in _TELLING)
    return (StixObject(members, str(file), aside) for members in telling)


def _aside(file: Path, folder: Path | None) -> str:
    """Why a pull put the file aside, "" if it did not; withdrawn where nothing readable says why."""
    reason_file = file.with_suffix(_REASON)
    if not reason_file.exists():
        return WITHDRAWN if folder is not None and WITHDRAWN_FOLDER in file.relative_to(folder).parts else ""
    try:
        reason = parse_value(_read(reason_file, MAX_OBJECT_BYTES))
    except (_UnreadableError, StixError):
        return WITHDRAWN
    state = text_in(reason, "state") if isinstance(reason, dict) else ""
    return state if state in ASIDE_STATES else WITHDRAWN
