"""Data markings: the TLP label of an object, and every other marking it refers to (STIX 2.1 section 7.2).

A label says what the producer asked for. Who may see what follows from it elsewhere, in the sharing service.
"""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any, Final, Self

from exchange.stix.errors import MarkingError, shown


class Tlp(IntEnum):
    """A TLP 2.0 label; a stricter one is greater."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4

    @property
    def label(self) -> str:
        """Return the label as FIRST writes it, such as `TLP:AMBER+STRICT`."""
        return "TLP:" + self.name.replace("_", "+")

    @property
    def marking_id(self) -> str:
        """Return the id of the marking-definition that stands for this label."""
        return TLP2_IDS[self]

    def __str__(self) -> str:
        return self.label

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the label for `TLP:AMBER+STRICT`, `amber+strict` and the like; WHITE is TLP 1.0 for CLEAR.

        Raises: MarkingError (`label`).
        """
        name = text.strip().upper().removeprefix("TLP:").replace("+", "_").replace("-", "_")
        try:
            return cls["CLEAR" if name == "WHITE" else name]
        except KeyError:
            raise MarkingError("label", f"{shown(text)} is no TLP label.") from None


# OASIS common object repository.
TLP2_IDS: Final[Mapping[Tlp, str]] = {
    Tlp.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
# STIX 2.1 section 7.2.1.4: TLP 1.0, under the TLP 2.0 label that means the same.
TLP1_IDS: Final[Mapping[Tlp, str]] = {
    Tlp.CLEAR: "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    Tlp.GREEN: "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    Tlp.AMBER: "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    Tlp.RED: "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
}
# OpenCTI minted its own AMBER+STRICT before OASIS did. Understood in references, never accepted as an object.
OPENCTI_AMBER_STRICT_ID: Final = "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"

_TLP_OF: Final[Mapping[str, Tlp]] = {
    **{marking_id: label for label, marking_id in TLP1_IDS.items()},
    **{marking_id: label for label, marking_id in TLP2_IDS.items()},
    OPENCTI_AMBER_STRICT_ID: Tlp.AMBER_STRICT,
}


def tlp_of(marking_id: str) -> Tlp | None:
    """Return the label that a marking-definition stands for, None if it is no TLP marking."""
    return _TLP_OF.get(marking_id)


def label_of(members: Mapping[str, Any]) -> Tlp | None:
    """Return the strictest TLP label of an object and its parts; None if it carries none.

    Raises: MarkingError if the markings do not have the shape of section 7.2.
    """
    return max((label for ref in all_marking_refs(members) if (label := _TLP_OF.get(ref)) is not None), default=None)


def object_labels_of(members: Mapping[str, Any]) -> frozenset[Tlp]:
    """Return every TLP label that is put on the whole object; more than one is a contradiction to flag."""
    return frozenset(label for ref in _object_refs(members) if (label := _TLP_OF.get(ref)) is not None)


def marking_refs_of(members: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of all markings that are not TLP, each once, those of the whole object first.

    Raises: MarkingError as `label_of`.
    """
    return tuple(dict.fromkeys(ref for ref in all_marking_refs(members) if ref not in _TLP_OF))


def all_marking_refs(members: Mapping[str, Any]) -> Iterator[str]:
    """Yield the marking ids of the object and of its parts.

    Raises: MarkingError as `label_of`.
    """
    yield from _object_refs(members)
    granular = members.get("granular_markings")
    if granular is None:
        return
    if not isinstance(granular, list) or not all(isinstance(entry, dict) for entry in granular):
        raise MarkingError("marking", "Granular markings are a list of objects.", "/granular_markings")
    for position, entry in enumerate(granular):
        ref = entry.get("marking_ref")
        if ref is None:
            continue
        if not isinstance(ref, str):
            pointer = f"/granular_markings/{position}/marking_ref"
            raise MarkingError("marking", "A marking reference is an id.", pointer)
        yield ref


def _object_refs(members: Mapping[str, Any]) -> list[str]:
    refs = members.get("object_marking_refs")
    if refs is None:
        return []
    if not isinstance(refs, list) or not all(isinstance(ref, str) for ref in refs):
        raise MarkingError("marking", "Object markings are a list of ids.", "/object_marking_refs")
    return refs
