"""`commonwatch convert`: reads Sigma and STIX files, converts what is in them, and says of the rest why not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from exchange.labtool.errors import DataError, UsageError
from exchange.labtool.files import read_file
from exchange.labtool.finding import find_files
from exchange.labtool.verifying import MAX_FILE_BYTES
from exchange.stix.errors import StixError, shown
from exchange.stix.reading import read_object, split_body
from signatures.conversion import (
    TARGETS,
    Conversion,
    Options,
    RefusedError,
    Schema,
    Signature,
    Target,
    UnknownTargetError,
    convert_signature,
    find_target,
    signatures_of,
)
from signatures.sigma.limits import MAX_TEXT_BYTES

_SIGMA_ENDINGS: Final = (".yml", ".yaml")
_STIX_ENDINGS: Final = (".json",)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line. None: the target's default."""

    target: str
    table: str | None
    timestamp: str | None
    schema: str
    include_revoked: bool


@dataclass(frozen=True, slots=True)
class Converted:
    """A conversion and where its signature was."""

    origin: str
    conversion: Conversion


@dataclass(frozen=True, slots=True)
class NotConverted:
    """Why something was not converted. construct, place: "" where the whole is at fault."""

    origin: str
    construct: str
    place: str
    reason: str

    @property
    def line(self) -> str:
        """One line for people."""
        return ": ".join(text for text in (self.origin, self.place, self.construct, self.reason) if text)


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What came of a call."""

    target: Target
    options: Options
    conversions: tuple[Converted, ...]
    refusals: tuple[NotConverted, ...]

    def lines(self) -> Iterator[str]:
        """The queries with what they carry, a blank line after each."""
        for converted in self.conversions:
            yield converted.conversion.text
            yield ""

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "target": self.target.name,
            "language": self.target.language,
            "table": self.options.table,
            "timestamp": self.options.timestamp,
            "schema": str(self.options.schema),
            "conversions": [_conversion_json(each) for each in self.conversions],
            "refused": [
                {"origin": each.origin, "construct": each.construct, "place": each.place, "reason": each.reason}
                for each in self.refusals
            ],
        }


def describe_targets() -> tuple[Mapping[str, Any], list[str]]:
    """The targets, for programs and for people."""
    targets = [
        {
            "name": target.name,
            "title": target.title,
            "language": target.language,
            "windows": target.windows,
            "table": target.table,
            "timestamp": target.timestamp,
            "available": target.is_available,
        }
        for target in TARGETS.values()
    ]
    lines = [
        f"{target.name:<11}{target.title}, {target.language}; windows: {target.windows}; "
        f"{target.table_is} {target.table}, time {target.timestamp}"
        + ("" if target.is_available else "; not part of this installation")
        for target in TARGETS.values()
    ]
    return {"targets": targets}, lines


def convert_paths(paths: Iterable[Path], request: Request, *, now: datetime) -> ConversionReport:
    """Convert every Sigma signature in files and folders.

    Raises: UsageError for an unknown target or a name that is none; DataError if there is nothing to convert.
    """
    try:
        target = find_target(request.target)
        options = target.options(request.table, request.timestamp, Schema(request.schema))
        target.load(options)
    except UnknownTargetError as error:
        raise UsageError(str(error)) from None
    files = [file for path in paths for file in find_files(path, (*_SIGMA_ENDINGS, *_STIX_ENDINGS))]
    conversions: list[Converted] = []
    refusals: list[NotConverted] = []
    found = [*_sigma_files(files, refusals), *_stix_files(files, refusals, now)]
    if not found and not refusals:
        raise DataError("there is no Sigma rule in these files")
    for origin, signature in found:
        try:
            converted = convert_signature(signature, target, options, include_revoked=request.include_revoked)
        except RefusedError as error:
            refusals += [NotConverted(origin, each.construct, each.place, each.reason) for each in error.refusals]
        except StixError as error:
            refusals.append(NotConverted(origin, "", "", f"{error.message} [{error.code}]"))
        else:
            conversions += [Converted(origin, each) for each in converted]
    return ConversionReport(target, options, tuple(conversions), tuple(refusals))


def _sigma_files(files: Sequence[Path], refusals: list[NotConverted]) -> Iterator[tuple[str, Signature]]:
    for file in files:
        if file.suffix not in _STIX_ENDINGS:
            try:
                yield str(file), Signature(_read(file, MAX_TEXT_BYTES).decode())
            except UnicodeDecodeError:
                refusals.append(NotConverted(str(file), "", "", "the text is not UTF-8"))
            except DataError as error:
                refusals.append(NotConverted("", "", "", str(error)))


def _stix_files(files: Sequence[Path], refusals: list[NotConverted], now: datetime) -> Iterator[tuple[str, Signature]]:
    objects: list[Mapping[str, Any]] = []
    origins: dict[str, str] = {}
    for file in files:
        if file.suffix not in _STIX_ENDINGS:
            continue
        try:
            for raw in split_body(_read(file, MAX_FILE_BYTES)):
                members = read_object(raw).members
                objects.append(members)
                origins.setdefault(str(members.get("id")), str(file))
        except StixError as error:
            refusals.append(NotConverted(str(file), "", "", str(error)))
    for signature in signatures_of(objects, now):
        yield f"{origins.get(signature.id, '')}: {shown(signature.id)[1:-1]}", signature


def _read(file: Path, max_bytes: int) -> bytes:
    try:
        return read_file(file, max_bytes=max_bytes)
    except FileNotFoundError:
        raise DataError(f"{file} is gone") from None


def _conversion_json(converted: Converted) -> dict[str, Any]:
    conversion = converted.conversion
    return {
        "origin": converted.origin,
        "title": conversion.header.title,
        "id": conversion.header.id,
        "query": conversion.query,
        "text": conversion.text,
        "carried": [{"name": name, "text": text} for name, text in conversion.header.items()],
    }
