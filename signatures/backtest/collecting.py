"""Finds the signatures in files and folders.

A Sigma file ends in .yml or .yaml. A JSON file holds STIX: an object, a list or a bundle. Of a pulled folder only
`objects/` counts. Of several versions of an indicator the newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, StixError, shown
from exchange.stix.reading import read_object, split_body
from exchange.stix.timestamps import ordering_key, parse_timestamp
from signatures.backtest.engine import printable
from signatures.backtest.errors import BacktestError
from signatures.backtest.signatures import Signature, signatures_of, unusable
from signatures.conversion.signatures import CURRENT, DISPUTE_LASTS, DISPUTED, EXPIRED, REVOKED

_SIGMA: Final = frozenset({".yml", ".yaml"})
_ASIDE: Final = frozenset({"quarantine", "withdrawn"})
_REASON: Final = ".reason.json"
MAX_FILE_BYTES: Final = 256 * 1024 * 1024
# Opinions with which somebody says that an indicator is wrong (STIX 2.1 section 4.12).
_DISPUTES: Final = frozenset({"disagree", "strongly-disagree"})


@dataclass(slots=True)
class _Gathered:
    """What the files hold: signatures of Sigma files, the newest version of each indicator, and disputed ids."""

    now: datetime
    signatures: list[Signature] = field(default_factory=list)
    indicators: dict[tuple[str, str], tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    disputed: set[str] = field(default_factory=set)


def collect_signatures(paths: Iterable[Path], *, now: datetime) -> list[Signature]:
    """Every signature in the paths, those that cannot be tested with their reasons.

    Raises: BacktestError for a path that is not there or is neither Sigma nor STIX, for two rules of one id or name
    in different Sigma files, and if there is nothing at all.
    """
    gathered = _Gathered(now)
    for path in paths:
        for file in _files_in(path):
            if file.suffix.lower() in _SIGMA:
                gathered.signatures += _read_sigma(file)
            else:
                _read_stix(file, gathered, is_named=file == path)
    _check_names(gathered.signatures)
    for origin, members in gathered.indicators.values():
        gathered.signatures += _of_indicator(members, origin, gathered)
    if not gathered.signatures:
        raise BacktestError("there is no signature in these paths")
    return gathered.signatures


def _files_in(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        if not path.exists():
            raise BacktestError(f"{printable(str(path))}: there is no such file")
        if path.suffix.lower() not in _SIGMA | {".json"}:
            raise BacktestError(f"{printable(str(path))}: a signature is a .yml, .yaml or .json file")
        yield path
        return
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path).parts
        is_aside = any(part.startswith(".") or part in _ASIDE for part in below)
        if not is_aside and not file.name.endswith(_REASON) and file.suffix.lower() in _SIGMA | {".json"}:
            yield file


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            body = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BacktestError(f"cannot read {printable(str(file))}: {error.strerror}") from None
    if len(body) > MAX_FILE_BYTES:
        raise BacktestError(f"{printable(str(file))} has more than {MAX_FILE_BYTES} bytes")
    return body


def _read_sigma(file: Path) -> list[Signature]:
    try:
        return signatures_of(_read(file).decode("utf-8"), str(file))
    except UnicodeDecodeError as error:
        return [unusable(str(file), f"byte {error.start} is no UTF-8")]
    except ObjectInvalidError as error:
        return [unusable(str(file), error)]


def _read_stix(file: Path, gathered: _Gathered, *, is_named: bool) -> None:
    try:
        objects = [read_object(raw).members for raw in split_body(_read(file))]
    except StixError as error:
        gathered.signatures.append(unusable(str(file), f"no STIX: {error}"))
        return
    if is_named and not any("type" in members for members in objects):
        raise BacktestError(f"{printable(str(file))} holds no STIX object")
    for members in objects:
        identifier = members.get("id")
        if members.get("type") == "opinion" and _disputes(members, gathered.now):
            references = members.get("object_refs")
            gathered.disputed.update(map(str, references if isinstance(references, list) else ()))
        if members.get("type") != "indicator" or not isinstance(identifier, str):
            continue
        key = (identifier, str(members.get("created_by_ref")))
        known = gathered.indicators.get(key)
        if known is None or _version(members) > _version(known[1]):
            gathered.indicators[key] = (str(file), members)


def _disputes(opinion: Mapping[str, Any], now: datetime) -> bool:
    """Whether an opinion says that something is wrong, is not taken back, and is fresh enough to count."""
    try:
        is_fresh = now - parse_timestamp(str(opinion.get("modified"))) <= DISPUTE_LASTS
    except StixError:
        is_fresh = True
    return opinion.get("opinion") in _DISPUTES and opinion.get("revoked") is not True and is_fresh


def _version(members: Mapping[str, Any]) -> str:
    modified = members.get("modified")
    try:
        parse_timestamp(str(modified))
    except StixError:
        return ""
    return ordering_key(str(modified))


def _of_indicator(members: Mapping[str, Any], origin: str, gathered: _Gathered) -> list[Signature]:
    identifier, name = str(members["id"]), str(members.get("name", ""))
    state = _state(members, gathered)
    kind, pattern = members.get("pattern_type"), members.get("pattern")
    if kind != "sigma" or not isinstance(pattern, str):
        signature = unusable(origin, f"patterns of type {shown(kind)} are not tested on logs", id=identifier, name=name)
        signature.is_invalid, signature.state = False, state
        return [signature]
    try:
        return signatures_of(pattern, origin, id=identifier, name=name, state=state)
    except ObjectInvalidError as error:
        return [unusable(origin, error, id=identifier, name=name)]


def _state(members: Mapping[str, Any], gathered: _Gathered) -> str:
    if members.get("revoked") is True:
        return REVOKED
    try:
        until = members.get("valid_until")
        if isinstance(until, str) and parse_timestamp(until) <= gathered.now:
            return EXPIRED
    except StixError:
        return EXPIRED
    return DISPUTED if members["id"] in gathered.disputed else CURRENT


def _check_names(signatures: list[Signature]) -> None:
    """Rules of different files may not be called the same: nobody could say which of them a result is about."""
    owners: dict[tuple[str, str], str] = {}
    for signature in signatures:
        for key, value in signature.names:
            owner = owners.setdefault((key, value), signature.origin)
            if owner != signature.origin:
                used = f"the {key} {shown(value)} is that of a rule in {printable(owner)} too"
                raise BacktestError(f"{printable(signature.origin)}: {used}")
