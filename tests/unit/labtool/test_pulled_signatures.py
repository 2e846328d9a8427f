"""What a pull leaves in its folder is enough to say offline how each signature stands."""

from pathlib import Path

from exchange.labtool.client import NodeClient
from exchange.labtool.pins import Pins
from exchange.labtool.pulling import pull
from signatures.intake import read_given, signatures_of
from tests.unit.labtool.material import NOW, Party, pins_of, withdrawal
from tests.unit.labtool.small_node import SmallNode

RULE = "title: T\nlogsource: {category: llm_api}\ndetection:\n  s: {user.id: u1}\n  condition: s\n"
NUMBERED = "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c0{}"


def filled(client: NodeClient, folder: Path, pins: Pins) -> Path:
    for collection in ("signatures", "feedback"):
        assert pull(client.feed(), folder, pins, collection=collection, clock=lambda: NOW).is_clean
    return folder


def test_a_pulled_folder_tells_versions_revocations_withdrawals_and_disputes(
    node: SmallNode,
    client: NodeClient,
    tmp_path: Path,
    aurora: Party,
    borealis: Party,
    node_one: Party,
) -> None:
    rule = {"pattern": RULE, "pattern_type": "sigma", "pattern_version": "2.1.0"}
    ids = [NUMBERED.format(number) for number in range(4)]
    later = {"modified": "2026-11-22T00:00:01.000Z"}
    node.add("identities", *(each.identity for each in (aurora, borealis, node_one)))
    node.add("signatures", *(aurora.indicator(id=each, **rule) for each in ids))
    node.add("signatures", aurora.indicator(id=ids[1], **rule, **later, revoked=True))
    node.add("signatures", aurora.indicator(id=ids[0], **rule, **later, confidence=70))
    node.add("signatures", withdrawal(node_one, ids[2], aurora, "suspended"))
    opinion = {
        "type": "opinion",
        "spec_version": "2.1",
        "id": "opinion--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c09",
        "created_by_ref": borealis.id,
        "created": "2026-11-22T00:00:00.000Z",
        "modified": "2026-11-22T00:00:00.000Z",
        "opinion": "disagree",
        "explanation": "Our course platform does that.",
        "object_refs": [ids[3]],
    }
    node.add("feedback", borealis.sign(opinion))
    folder = filled(client, tmp_path / "pulled", pins_of(aurora, borealis, node_one))

    found = {each.id: each for each in signatures_of(read_given([folder]).objects, NOW)}

    assert [found[each].states for each in ids] == [(), ("revoked",), ("suspended",), ("disputed",)]
    assert [found[each].before for each in ids] == ["2026-11-22T00:00:00.000Z"] * 2 + [""] * 2
    assert [found[each].changes for each in ids[:2]] == [("/confidence: added 70",), ("/revoked: added true",)]
    assert found[ids[3]].disputes == (f"Borealis ({borealis.id}): Our course platform does that.",)
    assert found[ids[0]].producer == f"Aurora ({aurora.id})"
