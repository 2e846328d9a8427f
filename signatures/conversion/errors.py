"""Why a signature was not converted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """construct: how docs/conversion.md calls it. place: "document 2, line 14, column 7". reason: one sentence."""

    construct: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.construct}: {self.reason}"


class ConversionError(Exception):
    """Base of what keeps a signature from being converted."""


class UnknownTargetError(ConversionError):
    """There is no such target, or no such option of it."""


class RefusedError(ConversionError):
    """The target cannot express what the signature says. Every refusal is listed."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(map(str, refusals)))
        self.refusals = refusals
