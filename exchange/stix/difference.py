"""What changed between two JSON values: operations of RFC 6902 (add, remove, replace) with the values before and after.

Applied in their order they make the second value out of the first. The work and the answer are bounded: a member of the
outer object that changed in too many places is told as replaced. Lists are compared by place, after what they have in
common at both ends, so an item put in between is one addition. Nothing here knows what a STIX object means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

MAX_CHANGES: Final = 500
"""More than this nobody reads."""

MAX_POINTER_CHARS: Final = 1_000
"""Names may be long, and stand in every pointer below them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One operation at an RFC 6901 pointer. `old` counts unless `op` is add, `new` unless it is remove."""

    op: Literal["add", "remove", "replace"]
    path: str
    old: Any = None
    new: Any = None


class _TooManyError(Exception):
    """What changed below one place is more than is told one by one."""


def difference(old: Any, new: Any) -> list[Change]:
    """The changes that make `new` out of `old`, both I-JSON as parsed; [] exactly where they are the same.

    Numbers are the same if they are written the same: 1 and 1.0 differ, as their bytes do.
    """
    try:
        return _counted(_by_member(old, new) if _both(dict, old, new) else _changes(old, new, ""))
    except _TooManyError:
        return [Change("replace", "", old, new)]


def _by_member(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        try:
            yield from _counted(_of_member(old, new, name, ""))
        except _TooManyError:
            if len(_place("", name)) > MAX_POINTER_CHARS:
                raise
            yield Change("replace", _place("", name), old[name], new[name])


def _counted(changes: Iterator[Change]) -> list[Change]:
    found: list[Change] = []
    for change in changes:
        if len(found) == MAX_CHANGES or len(change.path) > MAX_POINTER_CHARS:
            raise _TooManyError
        found.append(change)
    return found


def _changes(old: Any, new: Any, path: str) -> Iterator[Change]:
    if _written(old) == _written(new):
        return
    if _both(dict, old, new):
        for name in sorted({*old, *new}):
            yield from _of_member(old, new, name, path)
    elif _both(list, old, new):
        yield from _of_list(old, new, path)
    else:
        yield Change("replace", path, old, new)


def _of_member(old: dict[str, Any], new: dict[str, Any], name: str, path: str) -> Iterator[Change]:
    place = _place(path, name)
    if name not in old:
        yield Change("add", place, new=new[name])
    elif name not in new:
        yield Change("remove", place, old=old[name])
    else:
        yield from _changes(old[name], new[name], place)


def _of_list(old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    begin, end = _common_ends(old, new)
    before, after = old[begin : len(old) - end], new[begin : len(new) - end]
    both = min(len(before), len(after))
    for index in range(both):
        yield from _changes(before[index], after[index], f"{path}/{begin + index}")
    # From the back, so that what goes moves nothing that is still to go.
    for index in reversed(range(both, len(before))):
        yield Change("remove", f"{path}/{begin + index}", old=before[index])
    for index in range(both, len(after)):
        yield Change("add", f"{path}/{begin + index}", new=after[index])


def _common_ends(old: list[Any], new: list[Any]) -> tuple[int, int]:
    """How many items both have in common at the beginning, and of the rest at the end."""
    olds, news = [_written(each) for each in old], [_written(each) for each in new]
    most = min(len(olds), len(news))
    begin = next((index for index in range(most) if olds[index] != news[index]), most)
    rest = most - begin
    end = next((index for index in range(rest) if olds[-1 - index] != news[-1 - index]), rest)
    return begin, end


def _place(path: str, name: str) -> str:
    return f"{path}/{name.replace('~', '~0').replace('/', '~1')}"


def _written(value: Any) -> bytes:
    """One text for one value. Python takes True for 1, and compares in more time than it takes to write."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _both(kind: type, old: Any, new: Any) -> bool:
    return isinstance(old, kind) and isinstance(new, kind)
