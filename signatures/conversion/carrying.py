"""Gathers what a query or a report carries of a signature: what its indicator says, and what its rule says itself."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from signatures.conversion.header import Header, listed
from signatures.intake import CURRENT, DISPUTED, Signature
from signatures.sigma import SigmaInspection

_ATLAS_TAG: Final = "atlas."
_KILL_CHAIN_TAG: Final = "attack."


def header_of(
    signature: Signature, inspected: SigmaInspection | None, rule: Any = None, notes: tuple[str, ...] = ()
) -> Header:
    """The header of one rule of a signature. inspected, rule: None where the text is no Sigma."""
    labels = [each for each in (signature.label, inspected.label if inspected else None) if each is not None]
    tags = inspected.tags if inspected else ()
    maturity = (_said(rule, "status"), _said(rule, "level"))
    return Header(
        title=_said(rule, "title") or signature.name,
        id=" ".join(listed([signature.id, str(_said(rule, "id") or "")])),
        version=" ".join(listed([signature.version, str(_said(rule, "modified") or _said(rule, "date") or "")])),
        state=", ".join(signature.states) or CURRENT,
        confidence=signature.confidence,
        techniques=listed([*signature.techniques, *_techniques(tags)]),
        kill_chain=listed([*signature.kill_chain, *_phases(tags)]),
        # sigma.md, storing Sigma in STIX: where the two differ, the stricter counts.
        marking=str(max(labels)) if labels else "",
        valid_until=signature.valid_until,
        producer=signature.producer or str(_said(rule, "author") or ""),
        maturity=", ".join(str(each.name).lower() for each in maturity if each is not None),
        disputes=signature.disputes,
        before=signature.before,
        changes=signature.changes,
        false_positives=tuple(map(str, _said(rule, "falsepositives") or ())),
        notes=notes if DISPUTED not in signature.states else ("Disputed: do not block on it alone.", *notes),
    )


def _said(rule: Any, name: str) -> Any:
    """What a rule or a correlation of pySigma says under a name; None without a rule."""
    return getattr(rule, name, None)


def _techniques(tags: Sequence[str]) -> Iterator[str]:
    """`atlas.aml-t0024-002` is AML.T0024.002."""
    return (tag.removeprefix(_ATLAS_TAG).upper().replace("-", ".") for tag in tags if tag.startswith(_ATLAS_TAG))


def _phases(tags: Sequence[str]) -> Iterator[str]:
    """Tactics of ATT&CK; its techniques have a digit in their name."""
    names = (tag.removeprefix(_KILL_CHAIN_TAG) for tag in tags if tag.startswith(_KILL_CHAIN_TAG))
    return (f"mitre-attack/{name}" for name in names if not any(character.isdigit() for character in name))
