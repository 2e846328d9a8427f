"""The form of events, and the slots that streams take."""

from __future__ import annotations

import pytest

from exchange.api.stream import StreamSlots, event
from exchange.services.errors import NotReadyError


def test_an_event_has_a_name_an_id_and_its_data_on_one_line() -> None:
    assert event(b"object", "abc", b'{"a":1}') == b'event: object\nid: abc\ndata: {"a":1}\n\n'


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_line_ends_between_members_cannot_end_an_event(end: bytes) -> None:
    data = b'{"a":1,' + end + end + b"id: forged" + end + b'"b":2}'
    lines = event(b"object", "abc", data).split(b"\n")
    assert lines[0:2] == [b"event: object", b"id: abc"]
    assert all(line.startswith(b"data: ") for line in lines[2:-2])
    assert lines[-2:] == [b"", b""]
    assert b"\r" not in b"".join(lines)


def test_a_lab_that_has_its_number_gets_the_place_of_its_oldest_stream() -> None:
    slots = StreamSlots(most=5, most_of_lab=2)
    first, second = slots.take(1), slots.take(1)
    other = slots.take(2)
    third = slots.take(1)
    assert [each.is_over for each in (first, second, third, other)] == [True, False, False, False]
    slots.release(first)
    slots.release(first)
    fourth = slots.take(1)
    assert [each.is_over for each in (second, third, fourth, other)] == [True, False, False, False]


def test_where_all_are_taken_a_lab_without_one_is_refused_and_another_gets_its_own() -> None:
    slots = StreamSlots(most=2, most_of_lab=2)
    mine = slots.take(1)
    slots.take(2)
    with pytest.raises(NotReadyError):
        slots.take(3)
    again = slots.take(1)
    assert mine.is_over
    slots.release(again)
    assert not slots.take(3).is_over


def test_no_slots_mean_no_streams() -> None:
    with pytest.raises(NotReadyError):
        StreamSlots(most=0, most_of_lab=2).take(1)
