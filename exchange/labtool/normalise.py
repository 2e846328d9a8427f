"""What stix2 would rewrite in passing an object on, and the same done before signing.

Most STIX software in Python parses and serialises with stix2, which writes timestamps its own way, adds
defaults and drops others. A signature over an object that changes on that way breaks behind the first such
intermediary. Nothing here signs or checks an object against our rules.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import stix2
from stix2.exceptions import STIXError

from exchange.labtool.errors import DataError
from exchange.stix.errors import pointer_to, shown

# stix2 takes the form of values for granted in places, and lets what its parsers trip over through.
_STUMBLES: Final = (STIXError, ValueError, TypeError, LookupError, AttributeError, RecursionError)
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One place that stix2 would write differently. `before` and `after` are for a person to read."""

    pointer: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.before} would become {self.after}"


class NotStixError(DataError):
    """stix2 cannot read the object at all. `pointer` is "" where stix2 does not say what it dislikes."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def changes_by_stix2(members: Mapping[str, Any]) -> list[Change]:
    """Every place of an object that parsing and serialising with stix2 changes.

    Raises: NotStixError.
    """
    return list(_differences(dict(members), normalise(members), ()))


def normalise(members: Mapping[str, Any]) -> dict[str, Any]:
    """The object as stix2 writes it: stix2 leaves the result as it is.

    Raises: NotStixError.
    """
    try:
        parsed = stix2.parse(json.dumps(dict(members)), allow_custom=True, version="2.1")
        rewritten = json.loads(parsed.serialize())
    except _STUMBLES as error:
        prop = getattr(error, "prop_name", None)
        pointer = pointer_to([prop]) if isinstance(prop, str) else ""
        raise NotStixError(f"stix2 cannot read the object: {shown(str(error))}", pointer) from None
    if not isinstance(rewritten, dict):
        raise NotStixError("stix2 does not take this for an object", "")
    return rewritten


def _differences(before: Any, after: Any, path: tuple[str | int, ...]) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _differences(before.get(name, _ABSENT), after.get(name, _ABSENT), (*path, name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, (*path, place))
    elif _is_other(before, after):
        yield Change(pointer_to(path), _described(before), _described(after))


def _is_other(before: Any, after: Any) -> bool:
    # The canonical form does not tell 1 from 1.0, but Python does not tell 1 from true either.
    return isinstance(before, bool) != isinstance(after, bool) or before != after


def _described(value: Any) -> str:
    return "nothing" if value is _ABSENT else shown(value)
