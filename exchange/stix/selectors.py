"""Granular markings (STIX 2.1 section 7.2.3): each must say one thing about something that exists."""

import re
from collections.abc import Mapping
from typing import Any, Final

from exchange.stix.errors import MarkingError, shown
from exchange.stix.identifiers import type_of

_POSITION: Final = re.compile(r"\[(0|[1-9][0-9]{0,5})\]")


def check_granular_markings(members: Mapping[str, Any]) -> None:
    """Accept the granular markings of an object that fits its schema.

    Raises: MarkingError (`marking`, `selector`) with the pointer of an entry that does not carry exactly one of
    `marking_ref` and `lang`, or of a selector that selects nothing.
    """
    for position, entry in enumerate(members.get("granular_markings", ())):
        pointer = f"/granular_markings/{position}"
        if ("marking_ref" in entry) == ("lang" in entry):
            message = "A granular marking has either marking_ref or lang."
            raise MarkingError("marking", message, pointer)
        if "marking_ref" in entry and type_of(entry["marking_ref"]) != "marking-definition":
            message = "A marking reference names a marking-definition."
            raise MarkingError("marking", message, f"{pointer}/marking_ref")
        for number, selector in enumerate(entry["selectors"]):
            if not selects_something(members, selector):
                message = f"The selector {shown(selector)} selects nothing in this object."
                raise MarkingError("selector", message, f"{pointer}/selectors/{number}")


def selects_something(members: Mapping[str, Any], selector: str) -> bool:
    """Tell whether a selector such as `external_references.[0].source_name` leads to a value of the object."""
    value: Any = members
    for step in selector.split("."):
        position = _POSITION.fullmatch(step)
        if position is None:
            if not isinstance(value, Mapping) or step not in value:
                return False
            value = value[step]
        else:
            index = int(position[1])
            if not isinstance(value, list) or index >= len(value):
                return False
            value = value[index]
    return True
