"""What the delivery log makes of the versions that TAXII readers ask for: a producer learns who received which."""

from __future__ import annotations

import pytest

from exchange.services.delivery import find_recipients
from exchange.stix.markings import Tlp
from tests.integration.taxii.walking import (
    LAST_DATE,
    MANIFEST,
    OBJECTS,
    ask,
    history,
    items,
    object_path,
    only,
    store,
    versions_path,
)
from tests.support.taxii import Node

AMBER = [Tlp.AMBER.marking_id]


def received(node: Node, stix_id: str, lab: str = "cobalt") -> list[str]:
    """Versions of aurora's object that a lab received, as the delivery log has it."""
    found = find_recipients(principal=node.community.aurora.principal, stix_id=stix_id)
    return sorted(each.version for each in found if each.lab == lab)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", [2]),
        ("match[version]=first", [0]),
        ("match[version]=first,last", [0, 2]),
        ("match[version]=all", [0, 1, 2]),
        ("match[version]={middle}", [1]),
        ("match[version]={middle},last", [1, 2]),
        ("match[spec_version]=2.0", []),
    ],
)
def test_the_versions_that_were_asked_for_were_received(shared_node: Node, words: str, expected: list[int]) -> None:
    lab = shared_node.community.aurora
    members = [{**each, "object_marking_refs": AMBER} for each in history(lab)]
    store(shared_node.aurora, lab, *members)
    query = words.format(middle=members[1]["modified"])
    path = object_path(members[0]["id"])
    found = [each["modified"] for each in items(ask(shared_node.cobalt, path, query))]
    assert found == [members[place]["modified"] for place in expected]
    assert received(shared_node, members[0]["id"]) == found


def test_of_a_late_version_the_log_says_who_asked_after_the_newer_one(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    older, newer = ({**each, "object_marking_refs": AMBER} for each in history(lab, 2))
    store(shared_node.aurora, lab, newer)
    place = ask(shared_node.aurora, MANIFEST, only(newer)).headers[LAST_DATE]
    store(shared_node.aurora, lab, older)
    ask(shared_node.cobalt, OBJECTS, f"{only(newer)}&added_after={place}")
    ask(shared_node.borealis, OBJECTS, only(newer))
    assert received(shared_node, newer["id"]) == [older["modified"]]
    assert received(shared_node, newer["id"], "borealis") == [newer["modified"]]


def test_who_saw_names_alone_received_nothing(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    members = lab.indicator(Tlp.AMBER)
    store(shared_node.aurora, lab, members)
    assert items(ask(shared_node.cobalt, MANIFEST, only(members)))
    assert ask(shared_node.cobalt, versions_path(members["id"])).json()["versions"]
    assert received(shared_node, members["id"]) == []
