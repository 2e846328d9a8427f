"""Our answers as files that a client can follow."""

from __future__ import annotations

import json

from benchmarks.peers.nginx import chained

PAGE = b'{"more":true,"next":"gAAAA-bcd_","objects":[{"id":"x","next":"gAAAA-bcd_"}]}'


def test_a_page_leads_to_the_next_by_number_and_keeps_every_other_byte() -> None:
    assert chained(PAGE, 7) == b'{"more":true,"next":"7","objects":[{"id":"x","next":"gAAAA-bcd_"}]}'


def test_the_last_page_of_a_chain_that_was_cut_leads_nowhere() -> None:
    assert json.loads(chained(PAGE, None)) == {"more": False, "objects": [{"id": "x", "next": "gAAAA-bcd_"}]}


def test_a_page_without_a_cursor_is_left_as_it_is() -> None:
    page = b'{"more":false,"objects":[{"id":"x"}]}'
    assert chained(page, 3) == page
