"""Filters and full-text search: what is found, by whom, page by page; and that nobody finds what is not for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import requests

from exchange.models import Collection, Delivery, Facet, Grant
from exchange.samples import sample_objects
from exchange.services.checking import check_exchange
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from exchange.stix.facets import MAX_TAG_CHARS
from exchange.stix.markings import Tlp
from signatures.samples import SAMPLE_SIGNATURES
from tests.integration.services.views import as_owner, stored_rows
from tests.support.forms import assert_form
from tests.support.labs import LabHandle
from tests.support.rest import RestClient, RestNode

ATLAS = [{"source_name": "mitre-atlas", "external_id": "AML.T0024"}]
SIGMA = SAMPLE_SIGNATURES["d1"].text


def found(reader: RestClient, **asked: str) -> list[str]:
    """Ids of one page."""
    response = reader.get(f"objects/?{urlencode(asked)}")
    assert response.status_code == 200, response.text
    assert_form(response.json(), "EntryPage")
    return [entry["object"]["id"] for entry in response.json()["objects"]]


def pages(reader: RestClient, **asked: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = reader.get(f"objects/?{urlencode(asked | cursor)}").json()
        yield page
        if not page["more"]:
            return
        cursor = {"cursor": page["next"]}


def refused(response: requests.Response, status: int, slug: str = "") -> None:
    assert response.status_code == status, response.text
    assert_form(response.json(), "Problem")
    if slug:
        assert response.json()["type"] == f"urn:commonwatch:problem:{slug}"


def stored(lab: LabHandle, label: Tlp = Tlp.GREEN, **changes: Any) -> str:
    """Publish one indicator; answers its id."""
    members = lab.indicator(label, **changes)
    outcome = lab.publish(lab.signed(members))[0]
    assert outcome.error is None, outcome
    return str(members["id"])


def test_words_are_found_wherever_an_object_says_them(node: RestNode) -> None:
    aurora = node.community.aurora
    relay = stored(aurora, name="Relay exit", description="Distilling accounts.", labels=["quasar"])
    rule = stored(aurora, name="Rule", pattern=SIGMA, pattern_type="sigma", pattern_version=None)
    atlas = stored(aurora, name="Third", external_references=ATLAS, pattern="[ipv4-addr:value = '192.0.2.77']")
    for words, expected in {
        "relay": [relay],
        "RELAY exits": [relay],
        "distillation account": [relay],
        "quasar": [relay],
        "synchronised": [],
        "llmx.prompt.template_family": [rule],
        "AML.T0024": [rule, atlas],
        "192.0.2.77": [atlas],
        "192.0.2": [atlas],
        "relay or extraction_template": [relay, rule],
        '"exit relay"': [],
        '"relay exit"': [relay],
        "exit -relay": [],
        "nowhere": [],
        "the": [],
    }.items():
        assert found(node.borealis, q=words, type="indicator") == expected, words


def test_a_playbook_is_found_by_what_it_says_inside(node: RestNode) -> None:
    aurora, borealis, cobalt = node.community.labs
    identities = {"aurora": aurora.identity, "borealis": borealis.identity, "cobalt": cobalt.identity}
    samples = sample_objects("aurora", identities, datetime.now(UTC))
    response = next(each for each in samples if each["type"] == "course-of-action")
    assert "independent families" not in json.dumps(response)
    assert node.aurora.publish(aurora.signed(response)).status_code == 201
    assert found(node.borealis, q='"independent families" appeal') == [response["id"]]


def test_every_filter_finds_its_own(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    plain = stored(aurora, valid_from="2026-11-01T00:00:00Z", valid_until="2026-11-05T00:00:00Z")
    sigma = stored(aurora, pattern=SIGMA, pattern_type="sigma", pattern_version=None, valid_from="2026-11-10T00:00:00Z")
    marked = stored(borealis, labels=["relay", "eu"], external_references=ATLAS, valid_from="2026-12-01T00:00:00Z")
    strict = stored(borealis, Tlp.AMBER_STRICT, valid_from="2026-12-01T00:00:00Z")
    note = {
        "type": "note", "spec_version": "2.1", "id": "note--11111111-2222-4333-8444-555555555555", "content": "Again.",
        "created_by_ref": aurora.identity, "created": "2026-11-20T00:00:00.000Z", "object_refs": [marked],
        "modified": "2026-11-20T00:00:00.000Z", "object_marking_refs": [Tlp.GREEN.marking_id],
    }  # fmt: skip
    assert node.aurora.publish(aurora.signed(note)).status_code == 201
    everything = [plain, sigma, marked, strict]
    cases: dict[str, list[str]] = {
        "producer=aurora": [plain, sigma],
        "producer=borealis,aurora": everything,
        "producer=nobody": [],
        "label=TLP:GREEN": [plain, sigma, marked],
        "label=TLP:AMBER%2BSTRICT": [strict],
        f"marking={Tlp.AMBER_STRICT.marking_id}": [strict],
        "pattern_type=sigma": [sigma],
        "labels=relay": [marked],
        "labels=nothing,eu": [marked],
        "external_id=AML.T0024": [marked],
        "external_id=aml.t0024": [],
        "valid_at=2026-11-02T00:00:00Z": [plain],
        "valid_at=2026-11-05T00:00:00Z": [],
        "valid_at=2026-11-30T00:00:00Z": [sigma],
        "state=current": everything,
        "state=revoked,disputed": [],
        "revoked=true": [],
        "revoked=false": everything,
        f"id={plain},{marked}": [plain, marked],
        "producer=borealis&labels=relay&label=TLP:GREEN": [marked],
        "producer=aurora&labels=relay": [],
        "modified_after=2099-01-01T00:00:00Z": [],
        "modified_before=2020-01-01T00:00:00Z": [],
        "modified_after=2020-01-01T00:00:00Z&modified_before=2099-01-01T00:00:00Z": everything,
        "added_before=2020-01-01T00:00:00Z": [],
        "added_before=2099-01-01T00:00:00Z": everything,
        "order=newest": everything[::-1],
    }
    for query, expected in cases.items():
        page = node.cobalt.get(f"objects/?type=indicator&{query}")
        assert page.status_code == 200, page.text
        assert [entry["object"]["id"] for entry in page.json()["objects"]] == expected, query
    assert found(node.cobalt, refers_to=marked) == [note["id"]]
    assert found(node.cobalt, modified_before="2026-11-20T00:00:00.001Z", type="note") == [note["id"]]
    assert found(node.cobalt, modified_before="2026-11-20T00:00:00.000Z", type="note") == []
    assert found(node.cobalt, modified_after="2026-11-20T00:00:00Z", type="note") == []


def test_added_before_and_added_after_part_the_sequence(node: RestNode) -> None:
    first, second = stored(node.community.aurora), stored(node.community.aurora)
    page = node.borealis.get("objects/?type=indicator").json()["objects"]
    middle = page[1]["date_added"]
    assert found(node.borealis, type="indicator", added_before=middle) == [first]
    assert found(node.borealis, type="indicator", added_after=middle) == []
    assert found(node.borealis, type="indicator", added_after=page[0]["date_added"], producer="aurora") == [second]


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_pages_of_a_search_follow_one_another(node: RestNode, order: str) -> None:
    expected = [stored(node.community.aurora, name=f"Quasar {number}") for number in range(7)]
    for _ in range(3):
        stored(node.community.aurora, name="Other")
    shown = list(pages(node.borealis, q="quasar", limit="3", order=order))
    assert [len(page["objects"]) for page in shown] == [3, 3, 1]
    ids = [entry["object"]["id"] for page in shown for entry in page["objects"]]
    assert ids == (expected if order == "oldest" else expected[::-1])


def test_the_cursor_of_a_search_goes_with_its_filters_and_its_reader(node: RestNode) -> None:
    for number in range(3):
        stored(node.community.aurora, name=f"Quasar {number}", labels=["relay"])
    cursor = next(pages(node.borealis, q="quasar", limit="1"))["next"]
    assert node.borealis.get(f"objects/?q=quasar&cursor={cursor}").status_code == 200
    for query in ("q=quasars", "q=quasar&labels=relay", "q=quasar&order=newest", ""):
        refused(node.borealis.get(f"objects/?{query}&cursor={cursor}"), 400, "cursor")
    refused(node.cobalt.get(f"objects/?q=quasar&cursor={cursor}"), 400, "cursor")


def test_only_the_newest_version_is_found_and_by_what_it_says_alone(node: RestNode) -> None:
    aurora = node.community.aurora
    first = aurora.indicator(name="Quasar", labels=["old"])
    second = aurora.next_version(first, name="Pulsar", labels=["new"])
    assert node.aurora.publish(aurora.signed(first), aurora.signed(second)).status_code == 201
    assert found(node.borealis, q="quasar") == found(node.borealis, labels="old") == []
    assert found(node.borealis, q="pulsar", labels="new") == [first["id"]]


def test_what_a_reader_may_not_see_changes_no_byte_of_a_search(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    shown = stored(aurora, name="Quasar")
    queries = ("q=quasar", "q=quasar&order=newest", "q=quasar&limit=1", "labels=relay", "external_id=AML.T0024",
               "producer=aurora", "pattern_type=stix&type=indicator", f"refers_to={shown}")  # fmt: skip
    before = [node.cobalt.get(f"objects/?{query}") for query in queries]
    marking = aurora.distribution(borealis.identity)
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    hidden = aurora.indicator(
        Tlp.AMBER, name="Quasar relay", object_marking_refs=refs, labels=["relay"], external_references=ATLAS
    )
    secret_note = {
        "type": "note", "spec_version": "2.1", "id": "note--11111111-2222-4333-8444-555555555555",
        "content": "Quasar again.", "created_by_ref": aurora.identity, "created": hidden["created"],
        "modified": hidden["created"], "object_refs": [shown], "object_marking_refs": refs,
    }  # fmt: skip
    bodies = [aurora.signed(members) for members in (marking, hidden, secret_note)]
    assert node.aurora.publish(*bodies).status_code == 201
    for query, seen in zip(queries, before, strict=True):
        again = node.cobalt.get(f"objects/?{query}")
        assert again.content == seen.content, query
        assert again.headers["ETag"] == seen.headers["ETag"], query
    assert found(node.borealis, q="quasar") == [shown, hidden["id"], secret_note["id"]]
    assert found(node.borealis, labels="relay") == found(node.borealis, external_id="AML.T0024") == [hidden["id"]]
    assert found(node.borealis, refers_to=shown) == [secret_note["id"]]


def test_a_reader_without_a_grant_finds_nothing_there(node: RestNode) -> None:
    stored(node.community.aurora, name="Quasar")
    Grant.objects.filter(lab=node.community.cobalt.lab, collection__alias="signatures").delete()
    assert found(node.cobalt, q="quasar") == []
    refused(node.cobalt.get("objects/?q=quasar&collection=signatures"), 404)


def test_anybody_finds_what_is_clear_in_a_public_collection_and_nothing_else(node: RestNode) -> None:
    clear, green = (stored(node.community.aurora, label, name="Quasar") for label in (Tlp.CLEAR, Tlp.GREEN))
    refused(node.nobody.get("objects/?q=quasar"), 401)
    Collection.objects.filter(alias="signatures").update(public=True)
    assert found(node.nobody, q="quasar") == [clear]
    assert found(node.aurora, q="quasar") == [clear, green]
    Grant.objects.filter(lab=node.community.cobalt.lab, collection__alias="signatures").delete()
    assert found(node.cobalt, q="quasar") == [clear], "a member without a grant is anybody there"


def test_labels_decide_for_client_tokens_and_red_is_never_found(node: RestNode) -> None:
    borealis = node.community.borealis
    strict = stored(node.community.aurora, Tlp.AMBER_STRICT, name="Quasar")
    stored(node.community.aurora, Tlp.RED, name="Quasar")
    assert found(node.borealis, q="quasar") == [strict]
    assert found(RestClient(node.url, borealis.client_token), q="quasar") == []


def test_narrowing_takes_an_object_out_of_every_search_at_once(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    first = aurora.indicator(name="Quasar", labels=["relay"])
    assert node.aurora.publish(aurora.signed(first)).status_code == 201
    assert found(node.cobalt, q="quasar") == [first["id"]]
    marking = aurora.distribution(borealis.identity)
    narrowed = aurora.next_version(first, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    assert node.aurora.publish(aurora.signed(marking), aurora.signed(narrowed)).status_code == 201
    assert found(node.cobalt, q="quasar") == found(node.cobalt, labels="relay") == []
    assert found(node.borealis, q="quasar") == [first["id"]]


def test_a_held_version_is_found_when_its_marking_comes_and_by_its_recipients(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    held = aurora.indicator(Tlp.AMBER, name="Quasar", object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    assert node.aurora.publish(aurora.signed(held)).json()["results"][0]["status"] == "held"
    for reader in (node.aurora, node.borealis, node.cobalt):
        assert found(reader, q="quasar") == []
    assert node.aurora.publish(aurora.signed(marking)).status_code == 201
    assert found(node.aurora, q="quasar") == found(node.borealis, q="quasar") == [held["id"]]
    assert found(node.cobalt, q="quasar") == []


def test_deletion_takes_what_an_object_was_found_by(node: RestNode) -> None:
    gone = stored(node.community.aurora, name="Quasar", labels=["relay"], external_references=ATLAS)
    before = as_owner("SELECT count(*) FROM facet")[0][0]
    delete_object(principal=node.community.aurora.principal, stix_id=gone)
    assert found(node.borealis, q="quasar") == found(node.borealis, labels="relay") == []
    assert as_owner("SELECT count(*) FROM facet WHERE 'external:AML.T0024' = ANY (tags)")[0][0] == 0
    assert as_owner("SELECT count(*) FROM facet")[0][0] == before, "a note of the deletion came"


def test_a_dry_run_leaves_nothing_to_find(node: RestNode) -> None:
    before = stored_rows(), as_owner("SELECT count(*) FROM facet")
    aurora = node.community.aurora
    assert node.aurora.publish(aurora.signed(aurora.indicator(name="Quasar")), query="?dry_run=true").status_code == 200
    assert (stored_rows(), as_owner("SELECT count(*) FROM facet")) == before


MALFORMED = (
    "q=", "q=%20", "q=-", "q=%22%22", "q=" + "a" * 501, "q=a&q=b", "q=%00", "state=deleted", "state=", "state=current,",
    "label=GREENISH", "label=TLP:AMBER+STRICT,", "label=", "producer=", "producer=a%20b", "revoked=yes", "revoked=",
    "id=x", "id=", "refers_to=indicator", "marking=TLP:GREEN", "labels=", f"labels={'a' * (MAX_TAG_CHARS + 1)}",
    "labels=a%0Ab", "external_id=", "pattern_type=", "order=random", "order=", "collection=", "cursor=", "valid_at=now",
    "valid_at=2026-11-01", "valid_at=2026-11-01T00:00:00%2B01:00", "valid_at=2026-13-01T00:00:00Z", "modified_after=",
    "modified_before=99999999999999999999999999999999", "added_before=2026-11-01T00:00:00.1234567Z",
    "limit=000000000000000000000000000000", "limit=-1", "search=quasar", "Q=quasar",
)  # fmt: skip
ODD_WORDS = (
    "'", "a'b", "\\", "a\\", "&", "a & | ! b", "a:*", "<->", "a <-> b", "(((a", "))) a", '"', 'a "', "!a", "-a",
    "- a", "or", "or or or", "a or", "-" * 400 + "a", "\u00e9" * 250, "\u202ea", "a\U0001f600", "%", "a_b__c", "$1",
    "%(q)s", "{}",
)  # fmt: skip


def test_a_malformed_filter_is_refused(node: RestNode) -> None:
    for query in MALFORMED:
        response = node.aurora.get(f"objects/?{query}")
        assert (response.status_code, response.json().get("status")) == (400, 400), query


def test_odd_words_are_looked_for_and_break_nothing(node: RestNode) -> None:
    for words in ODD_WORDS:
        response = node.aurora.get(f"objects/?q={quote(words)}")
        assert response.status_code == (200 if any(each.isalnum() for each in words) else 400), words


def test_the_delivery_log_names_what_a_search_showed_and_not_what_was_looked_for(node: RestNode) -> None:
    aurora = node.community.aurora
    shown = stored(aurora, Tlp.AMBER, name="Quasar")
    beside = stored(aurora, Tlp.AMBER, name="Other")
    last = stored(aurora, Tlp.AMBER, name="Quasar too")
    assert found(node.cobalt, q="quasar", labels="none,anomalous") == []
    assert not Delivery.objects.filter(lab_id=node.community.cobalt.lab.id).exists()
    assert found(node.cobalt, q="quasar") == [shown, last]
    row = Delivery.objects.get(lab_id=node.community.cobalt.lab.id)
    assert "quasar" not in json.dumps(row.filter)
    for stix_id, labs in ((shown, ["cobalt"]), (beside, []), (last, ["cobalt"])):
        listed = node.aurora.get(f"objects/{stix_id}/recipients/").json()["recipients"]
        assert [each["lab"] for each in listed] == labs


def test_the_check_finds_what_would_mislead_a_search(node: RestNode) -> None:
    stix_id = stored(node.community.aurora, name="Quasar", labels=["relay"])
    damages = (
        "UPDATE facet SET words = to_tsvector('english', 'pulsar') WHERE version_id = %s",
        "UPDATE facet SET tags = '{}' WHERE version_id = %s",
        "UPDATE facet SET audience_id = 0 WHERE version_id = %s",
        "UPDATE facet SET places = places || 1::bigint WHERE version_id = %s",
        "UPDATE facet SET places = '{}' WHERE version_id = %s",
        "UPDATE facet SET modified = '2020' WHERE version_id = %s",
        "UPDATE facet SET version_id = 987654321 WHERE version_id = %s",
    )
    with writing():
        row = Facet.objects.get(tags__contains=["label:relay"])
    for damage in damages:
        as_owner(damage, row.version_id)
        assert {fault.kind for fault in check_exchange().faults} == {"facet"}, damage
        as_owner("DELETE FROM facet WHERE version_id = ANY (%s)", [row.version_id, 987654321])
        with writing():
            row.save(force_insert=True)
    assert found(node.borealis, q="quasar") == [stix_id]
