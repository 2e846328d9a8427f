"""The ingest checklist: every type is accepted once, and every rule refuses with a place."""

import json
from typing import Any

import orjson
import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.stix.checks import CheckedObject, check_object
from exchange.stix.errors import StixError
from exchange.stix.extension_ids import SIGNATURE_EXTENSION, TLP2_EXTENSION, WITHDRAWAL_EXTENSION
from exchange.stix.identifiers import deterministic_id
from exchange.stix.limits import MAX_WARNINGS
from exchange.stix.markings import TLP2_IDS, Tlp
from exchange.stix.object_classes import CLASS_OF
from exchange.stix.reading import read_object
from tests.unit.stix.stix_samples import ADDRESS, INDICATOR, LATER, NEW_TYPE, OBSERVABLES, TIME, TYPES, UUID, sample

SIGNATURE = {"extension_type": "property-extension", "signatures": [{"protected": "x", "signature": "y"}]}
STATEMENT = f"marking-definition--{UUID}"


def check(members: dict[str, Any]) -> CheckedObject:
    return check_object(read_object(orjson.dumps(members)))


def fault_of(members: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(StixError) as caught:
        check(members)
    assert len(caught.value.message) < 300
    return caught.value.code, caught.value.pointer


def test_there_is_a_sample_of_every_type() -> None:
    assert set(TYPES) == set(CLASS_OF)


@pytest.mark.parametrize("object_type", TYPES)
def test_every_type_is_accepted_and_stix2_agrees(object_type: str) -> None:
    checked = check(sample(object_type))
    assert checked.warnings == ()
    assert checked.type == object_type
    assert checked.is_sco == (object_type in OBSERVABLES)
    assert checked.version == (None if checked.is_sco else TIME)
    stix2.parse(json.loads(checked.raw), version="2.1")


@pytest.mark.parametrize("object_type", sorted(set(TYPES) - {"extension-definition"}))
def test_every_extensible_type_may_carry_a_signature_and_a_marking(object_type: str) -> None:
    marked = sample(object_type, extensions={SIGNATURE_EXTENSION: SIGNATURE}, object_marking_refs=[TLP2_IDS[Tlp.AMBER]])
    checked = check(marked)
    assert checked.label is Tlp.AMBER
    assert checked.warnings == ()


@pytest.mark.parametrize("object_type", sorted(OBSERVABLES - {"process"}))
def test_a_name_based_id_must_be_the_one_that_follows(object_type: str) -> None:
    members = sample(object_type)
    members["id"] = deterministic_id(members)
    check(members)
    check({name: value for name, value in members.items() if name != "spec_version"})
    wrong = f"{object_type}--28bb3599-77cd-5a82-a950-000000000000"
    assert fault_of({**members, "id": wrong}) == ("id-mismatch", "/id")


def test_a_process_never_has_a_name_based_id() -> None:
    assert fault_of(sample("process", id=f"process--{ADDRESS[11:]}")) == ("id-mismatch", "/id")


@pytest.mark.parametrize(
    ("object_type", "forbidden"),
    [
        ("ipv4-addr", {"created": TIME, "modified": TIME, "created_by_ref": f"identity--{UUID}", "revoked": False}),
        ("url", {"labels": ["x"], "confidence": 1, "lang": "en", "external_references": [{"source_name": "x"}]}),
        ("indicator", {"defanged": True}),
        ("relationship", {"defanged": True}),
        ("extension-definition", {"confidence": 1, "lang": "en", "defanged": True, "extensions": {}}),
        ("language-content", {"lang": "en", "defanged": False}),
        (
            "marking-definition",
            {"modified": TIME, "revoked": False, "labels": ["x"], "confidence": 1, "lang": "en", "defanged": True},
        ),
    ],
)
def test_common_properties_of_another_class_are_refused(object_type: str, forbidden: dict[str, Any]) -> None:
    for name, value in forbidden.items():
        assert fault_of(sample(object_type, **{name: value})) == ("forbidden-property", f"/{name}")


@pytest.mark.parametrize("name", ["severity", "username", "phone_number", "action"])
def test_reserved_properties_are_refused(name: str) -> None:
    assert fault_of(sample("note", **{name: "x"})) == ("reserved-property", f"/{name}")


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        ({}, "type", ""),
        ({"type": 1}, "type", "/type"),
        ({"type": "note"}, "identifier", ""),
        ({"type": "note", "id": None}, "identifier", "/id"),
        (sample("note", id="note--1"), "identifier", "/id"),
        (sample("note", id=f"report--{UUID}"), "identifier", "/id"),
        (sample("note", id=f"note--{UUID.upper()}"), "identifier", "/id"),
        ({"type": "bundle", "id": f"bundle--{UUID}"}, "type", "/type"),
        ({"type": "x-thing", "id": f"x-thing--{UUID}"}, "type", "/type"),
        (sample("note", spec_version="2.0"), "schema", "/spec_version"),
        (sample("url", spec_version="2.0"), "schema", "/spec_version"),
        (sample("note", spec_version=None), "schema", ""),
        (sample("note", content=None), "schema", ""),
        (sample("extension-definition", created_by_ref=None), "schema", ""),
        (sample("note", authors=[]), "empty-list", "/authors"),
        (sample("attack-pattern", aliases=[]), "empty-list", "/aliases"),
        (sample("note", x_foo={"a": [[]]}), "empty-list", "/x_foo/a/0"),
        (sample("note", x_foo={"a": [None]}), "null", "/x_foo/a/0"),
        (sample("note", extensions={}), "schema", "/extensions"),
        (sample("marking-definition", extensions={}), "schema", "/extensions"),
        (sample("note", extensions={"foo": {"a": 1}}), "schema", "/extensions"),
        (sample("note", confidence=101), "schema", "/confidence"),
        (sample("note", confidence=1.5), "schema", "/confidence"),
        (sample("note", created="2026-01-02T03:04:05Z"), "schema", "/created"),
        (sample("marking-definition", created="2026-01-02T03:04:05Z"), "timestamp", "/created"),
        (sample("note", created="2026-02-30T03:04:05.000Z"), "timestamp", "/created"),
        (sample("indicator", valid_from="2026-13-01T00:00:00Z"), "schema", "/valid_from"),
        (sample("note", created=LATER), "order", "/modified"),
        (sample("indicator", valid_until=TIME), "order", "/valid_until"),
        (sample("campaign", first_seen=LATER, last_seen=TIME), "order", "/last_seen"),
        (sample("relationship", start_time=TIME, stop_time=TIME), "order", "/stop_time"),
        (sample("observed-data", first_observed=LATER), "order", "/last_observed"),
        (sample("network-traffic", start="2026-01-02T03:04:05.0000001Z"), "order", "/end"),
        (sample("network-traffic", is_active=True), "schema", ""),
        (sample("opinion", opinion="maybe"), "schema", "/opinion"),
        (sample("observed-data", object_refs=[f"relationship--{UUID}"]), "reference", "/object_refs"),
        (sample("sighting", sighting_of_ref=ADDRESS), "reference", "/sighting_of_ref"),
        (sample("sighting", sighting_of_ref=f"extension-definition--{UUID}"), "reference", "/sighting_of_ref"),
        (sample("sighting", where_sighted_refs=[INDICATOR]), "schema", "/where_sighted_refs/0"),
        (sample("relationship", target_ref=f"sighting--{UUID}"), "schema", "/target_ref"),
        (sample("relationship", target_ref=f"extension-definition--{UUID}"), "reference", "/target_ref"),
        (sample("relationship", relationship_type="Uses"), "schema", "/relationship_type"),
        (sample("note", created_by_ref=INDICATOR), "reference", "/created_by_ref"),
        (sample("note", created_by_ref=f"identity--{UUID.upper()}"), "schema", "/created_by_ref"),
        (sample("note", object_refs=[INDICATOR, "x"]), "schema", "/object_refs/1"),
        (sample("note", object_marking_refs=[INDICATOR]), "reference", "/object_marking_refs/0"),
        (sample("ipv4-addr", belongs_to_refs=["0"]), "identifier", "/belongs_to_refs/0"),
        (sample("ipv4-addr", resolves_to_refs=[ADDRESS]), "reference", "/resolves_to_refs/0"),
        (sample("network-traffic", src_ref=INDICATOR), "reference", "/src_ref"),
        (sample("malware", sample_refs=[ADDRESS]), "reference", "/sample_refs/0"),
        (sample("ipv4-addr", value="198.51.100.300"), "schema", "/value"),
        (sample("ipv6-addr", value="sss::1"), "value", "/value"),
        (sample("ipv6-addr", value="2001:db8::1/129"), "value", "/value"),
        (sample("indicator", pattern="[ipv4-addr:value = ]"), "pattern", "/pattern"),
        (sample("note", Foo=1), "schema", ""),
        (sample("marking-definition", **{"x-\x1b[31m": 1}), "property-name", "/x-\ufffd[31m"),
        (sample("note", external_references=[{"source_name": "x"}]), "schema", "/external_references/0"),
        (sample("marking-definition", definition=None), "schema", ""),
        (
            sample("marking-definition", definition_type="tlp", definition={"tlp": "white"}),
            "schema",
            "",
        ),
        (
            sample("marking-definition", extensions={TLP2_EXTENSION: {"extension_type": "property-extension"}}),
            "marking",
            "/id",
        ),
        (sample("course-of-action", extensions={NEW_TYPE: {"extension_type": "other"}}), "schema", None),
        (sample("course-of-action", extensions={NEW_TYPE: {"playbook_bin": "AAAA"}}), "schema", None),
        (
            sample("note", extensions={NEW_TYPE: {"extension_type": "property-extension", "playbook_bin": "!"}}),
            "schema",
            f"/extensions/{NEW_TYPE}/playbook_bin",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(members: dict[str, Any], code: str, pointer: str | None) -> None:
    found = fault_of(members)
    assert found[0] == code
    if pointer is not None:
        assert found[1] == pointer


@pytest.mark.parametrize(
    ("entry", "code", "pointer"),
    [
        ({"selectors": ["name"]}, "marking", "/granular_markings/0"),
        ({"selectors": ["name"], "lang": "de", "marking_ref": STATEMENT}, "marking", "/granular_markings/0"),
        ({"selectors": ["name"], "marking_ref": INDICATOR}, "schema", "/granular_markings/0/marking_ref"),
        ({"selectors": [], "lang": "de"}, "empty-list", "/granular_markings/0/selectors"),
        ({"selectors": ["name", "nome"], "lang": "de"}, "selector", "/granular_markings/0/selectors/1"),
        ({"selectors": ["sectors.[1]"], "lang": "de"}, "selector", "/granular_markings/0/selectors/0"),
        ({"selectors": ["name.[0]"], "lang": "de"}, "selector", "/granular_markings/0/selectors/0"),
        ({"selectors": ["sectors.0"], "lang": "de"}, "selector", "/granular_markings/0/selectors/0"),
        ({"selectors": [""], "lang": "de"}, "selector", "/granular_markings/0/selectors/0"),
    ],
)
def test_a_granular_marking_says_one_thing_about_what_exists(entry: dict[str, Any], code: str, pointer: str) -> None:
    assert fault_of(sample("identity", granular_markings=[entry])) == (code, pointer)


def test_selectors_reach_into_lists_and_dictionaries() -> None:
    references = [{"source_name": "x", "url": "https://lab.example/", "hashes": {"SHA-256": "0" * 64}}]
    selectors = ["id", "sectors.[0]", "external_references.[0].hashes.SHA-256", "external_references"]
    granular = [{"selectors": selectors, "lang": "de"}, {"selectors": ["name"], "marking_ref": TLP2_IDS[Tlp.RED]}]
    checked = check(sample("identity", external_references=references, granular_markings=granular))
    assert checked.label is Tlp.RED


@pytest.mark.parametrize("value", ["::ffff:192.0.2.1", "2001:db8::/32", "::", "2001:DB8::1"])
def test_addresses_that_the_published_schema_mistakes_are_accepted(value: str) -> None:
    check(sample("ipv6-addr", value=value))


def test_our_withdrawal_extension_may_have_its_short_name() -> None:
    entry = {"extension_type": "property-extension", "object": INDICATOR, "state": "revoked", "at": TIME}
    check(sample("note", extensions={WITHDRAWAL_EXTENSION: entry}))


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("new-sdo", {"created": TIME, "modified": LATER, "name": "x"}),
        ("new-sro", {"created": TIME, "modified": LATER}),
        ("new-sco", {"value": "x"}),
    ],
)
def test_a_type_that_an_extension_declares_is_held_to_its_class(kind: str, members: dict[str, Any]) -> None:
    whole = {
        "type": "x-event",
        "spec_version": "2.1",
        "id": f"x-event--{UUID}",
        "extensions": {NEW_TYPE: {"extension_type": kind}},
        **members,
    }
    checked = check(whole)
    assert checked.is_sco == (kind == "new-sco")
    assert checked.version == members.get("modified")
    assert checked.warnings == ()
    wrong = {"confidence": 1} if kind == "new-sco" else {"defanged": True}
    assert fault_of({**whole, **wrong})[0] == "forbidden-property"
    assert fault_of({**whole, "type": "X-event", "id": f"X-event--{UUID}"})[0] == "identifier"
    if kind != "new-sco":
        assert fault_of({**whole, "created": "x"}) == ("schema", "/created")


def test_a_type_has_one_declaration_and_the_standard_needs_none() -> None:
    new = {"extension_type": "new-sdo"}
    assert fault_of(sample("note", extensions={NEW_TYPE: new})) == ("extension", f"/extensions/{NEW_TYPE}")
    whole = {"type": "x-event", "id": f"x-event--{UUID}", "extensions": {NEW_TYPE: new, SIGNATURE_EXTENSION: new}}
    assert fault_of(whole) == ("extension", f"/extensions/{SIGNATURE_EXTENSION}")


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        (sample("indicator", indicator_types=["benign", "Odd"]), "vocabulary", "/indicator_types/1"),
        (sample("indicator", pattern_type="own"), "vocabulary", "/pattern_type"),
        (sample("user-account", account_type="llm-api"), "vocabulary", "/account_type"),
        (sample("malware", malware_types=["odd"]), "vocabulary", "/malware_types/0"),
        (sample("note", x_foo=1), "unknown-property", "/x_foo"),
        (
            sample("note", object_marking_refs=[TLP2_IDS[Tlp.GREEN], TLP2_IDS[Tlp.RED]]),
            "several-labels",
            "/object_marking_refs",
        ),
    ],
)
def test_what_is_allowed_but_odd_is_warned_of(members: dict[str, Any], code: str, pointer: str) -> None:
    (warning,) = check(members).warnings
    assert (warning.code, warning.pointer) == (code, pointer)


def test_a_toplevel_extension_explains_unknown_properties() -> None:
    entry = {NEW_TYPE: {"extension_type": "toplevel-property-extension"}}
    assert check(sample("note", rank=1, extensions=entry)).warnings == ()


def test_text_that_looks_empty_is_only_text() -> None:
    check(sample("note", content='null [] "":null'))


def test_hostile_names_do_not_reach_a_message_whole() -> None:
    members = sample("note", extensions={"\x1b]0;" + "x" * 5000: {"a": 1}})
    with pytest.raises(StixError) as caught:
        check(members)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-1, 1), st.text(max_size=5), st.just(TIME)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=4,
)
common_names = st.one_of(
    st.sampled_from(
        ["type", "id", "spec_version", "extensions", "granular_markings", "object_marking_refs", "created"]
    ),
    st.sampled_from(["modified", "revoked", "pattern", "value", "external_references", "labels", "object_refs"]),
)


@given(st.sampled_from(TYPES), st.data())
@settings(max_examples=400, deadline=None)
def test_any_value_in_any_place_raises_nothing_but_stix_errors(object_type: str, data: st.DataObject) -> None:
    members = sample(object_type)
    names = st.one_of(st.sampled_from(sorted(members)), common_names)
    for name in data.draw(st.lists(names, min_size=1, max_size=3)):
        members[name] = data.draw(json_values)
    try:
        checked = check(members)
    except StixError as error:
        str(error).encode()
    else:
        assert checked.members == json.loads(checked.raw)


def test_warnings_are_bounded() -> None:
    assert len(check(sample("note", **{f"x_{number}": 1 for number in range(1000)})).warnings) == MAX_WARNINGS
