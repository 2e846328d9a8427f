"""From what a lab gives to the signatures that are to be tested. How each stands is decided in signatures/intake.

What cannot be tested, or is not to be, is a signature too, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from exchange.stix.errors import ObjectInvalidError, shown
from signatures.backtest.engine import printable
from signatures.backtest.errors import BacktestError
from signatures.backtest.signatures import Signature, signatures_in, unusable
from signatures.intake import IntakeError, out_of_use, read_given, signatures_of
from signatures.intake import Signature as Given
from signatures.intake.indicators import SIGMA


def collect_signatures(
    paths: Iterable[Path],
    *,
    now: datetime,
    include_revoked: bool = False,
    progress: Callable[[str], None] = lambda _text: None,
) -> list[Signature]:
    """Every signature in the paths, those that cannot be tested with their reasons.

    Revoked ones, and those that a node withdrew, are not tested unless `include_revoked`; expired and disputed ones
    are.

    Raises: BacktestError for a path that is not there or is neither Sigma nor STIX, for two rules of one id or name
    in different Sigma files, and if there is nothing at all.
    """
    try:
        given = read_given(paths, progress)
    except IntakeError as error:
        raise BacktestError(printable(str(error))) from None
    signatures = [unusable(Given("", fault.origin), fault.message) for fault in given.faults]
    for text in given.texts:
        signatures += _signatures(Given(text.text, text.origin))
    _check_names(signatures)
    for indicator in signatures_of(given.objects, now):
        signatures += _of_indicator(indicator, include_revoked=include_revoked)
    if not signatures:
        raise BacktestError("there is no signature in these paths")
    return signatures


def _signatures(given: Given) -> list[Signature]:
    try:
        return signatures_in(given)
    except ObjectInvalidError as error:
        return [unusable(given, error)]


def _of_indicator(indicator: Given, *, include_revoked: bool) -> list[Signature]:
    if indicator.pattern_type != SIGMA:
        reason = f"patterns of type {shown(indicator.pattern_type)} are not tested on logs"
        return [unusable(indicator, reason, is_invalid=False)]
    signatures = _signatures(indicator)
    over = out_of_use(indicator.states)
    for signature in signatures:
        if over and not include_revoked and not signature.is_invalid:
            signature.put_aside(f"{over}: ask for it with --revoked")
    return signatures


def _check_names(signatures: list[Signature]) -> None:
    """Rules of different files may not be called the same: nobody could say which of them a result is about."""
    owners: dict[tuple[str, str], str] = {}
    for signature in signatures:
        for key, value in signature.names:
            owner = owners.setdefault((key, value), signature.origin)
            if owner != signature.origin:
                used = f"the {key} {shown(value)} is that of a rule in {printable(owner)} too"
                raise BacktestError(f"{printable(signature.origin)}: {used}")
