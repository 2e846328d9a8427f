"""`commonwatch convert`: converts what is in Sigma and STIX files, and says of the rest why not."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from exchange.labtool.answers import printable
from exchange.labtool.errors import DataError, UsageError
from exchange.stix.errors import StixError, shown
from signatures.conversion import (
    TARGETS,
    Conversion,
    Options,
    RefusedError,
    Schema,
    Target,
    UnknownTargetError,
    convert_signature,
    find_target,
)
from signatures.intake import Given, IntakeError, Signature, read_given, signatures_of
from signatures.intake.indicators import SIGMA


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


def convert_paths(
    paths: Iterable[Path], request: Request, *, now: datetime, progress: Callable[[str], None]
) -> ConversionReport:
    """Convert every Sigma signature in files and folders.

    Raises: UsageError for an unknown target or a name that is none; DataError if there is nothing to convert.
    """
    try:
        target = find_target(request.target)
        options = target.options(request.table, request.timestamp, Schema(request.schema))
        target.load(options)
        given = read_given(paths, progress)
    except UnknownTargetError as error:
        raise UsageError(str(error)) from None
    except IntakeError as error:
        raise DataError(printable(str(error))) from None
    conversions: list[Converted] = []
    refusals = [NotConverted(fault.origin, "", "", fault.message) for fault in given.faults]
    found = _signatures(given, now)
    if not found and not refusals:
        raise DataError("there is no Sigma rule in these files")
    for number, signature in enumerate(found, 1):
        progress(f"converting signature {number:,} of {len(found):,}")
        origin = f"{signature.origin}: {shown(signature.id)[1:-1]}" if signature.id else signature.origin
        try:
            converted = convert_signature(signature, target, options, include_revoked=request.include_revoked)
        except RefusedError as error:
            refusals += [NotConverted(origin, each.construct, each.place, each.reason) for each in error.refusals]
        except StixError as error:
            refusals.append(NotConverted(origin, "", "", f"{error.message} [{error.code}]"))
        else:
            conversions += [Converted(origin, each) for each in converted]
    return ConversionReport(target, options, tuple(conversions), tuple(refusals))


def _signatures(given: Given, now: datetime) -> list[Signature]:
    texts = [Signature(each.text, each.origin) for each in given.texts]
    return [*texts, *(each for each in signatures_of(given.objects, now) if each.pattern_type == SIGMA)]


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
