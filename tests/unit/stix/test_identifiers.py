"""Identifiers: form, and deterministic ids against the published answers and stix2."""

import json
import uuid
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.identifiers import acceptable_ids, create_id, deterministic_id, is_identifier, is_uuid5, type_of

UUID = "28bb3599-77cd-5a82-a950-b5bc3caf07c4"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"value": "198.51.100.3"}, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"),
        ({"value": "203.0.113.0/24"}, "ipv4-addr--a0895f10-d89d-56ad-a4a4-dc873ee08b8c"),
        ({"value": "2001:db8::1"}, "ipv6-addr--6469e3a9-b053-5e34-a025-9396ae051d26"),
        ({"value": "example.com"}, "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"),
        ({"value": "john@example.com"}, "email-addr--7165e2a9-671f-585d-b1e1-ca59c671d934"),
        ({"value": "https://example.com/research/index.html"}, "url--47c3cf9a-5027-5bf0-997a-017c7edc7c55"),
        ({"number": 15139}, "autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff"),
        (
            {"account_type": "openid", "user_id": "u-1001", "display_name": "not part of it"},
            "user-account--fdee8300-08e7-5c88-a7bd-0492e39111e2",
        ),
        (
            {"name": "example-sdk", "vendor": "Example", "version": "1.2.3"},
            "software--6c509d62-e65b-5821-8b71-802bb393a6da",
        ),
        (
            {"hashes": {"SHA-512": "b" * 128, "SHA-256": "a" * 64}, "serial_number": "36:f7"},
            "x509-certificate--9e92c143-0dbb-5b82-a78b-956db88bb327",
        ),
        (
            {
                "dst_port": 443,
                "protocols": ["tcp", "https"],
                "src_ref": "ipv4-addr--ad74bc22-43d2-52ed-890e-7d382f58e1eb",
            },
            "network-traffic--3686e362-3185-58eb-a3d2-9ce75ae5dd97",
        ),
    ],
)
def test_deterministic_ids_have_the_published_answers(members: dict[str, Any], expected: str) -> None:
    whole = {"type": type_of(expected), "id": expected, "spec_version": "2.1", **members}
    assert deterministic_id(whole) == expected
    assert acceptable_ids(whole) == {expected}


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(texts, texts, texts)
def test_deterministic_ids_agree_with_stix2(first: str, second: str, third: str) -> None:
    for made in (
        stix2.Software(name=first, vendor=second, version=third),
        stix2.UserAccount(account_type=first, user_id=second),
        stix2.Mutex(name=first),
        stix2.Directory(path=first),
        stix2.WindowsRegistryKey(key=first, values=[{"name": second, "data": third}]),
        stix2.EmailMessage(is_multipart=False, subject=first, body=second),
        stix2.File(name=first, hashes={"MD5": "0" * 32, "SHA-256": "1" * 64}),
        stix2.Artifact(payload_bin="AAAA", hashes={"SHA-1": "0" * 40}),
    ):
        assert deterministic_id(json.loads(made.serialize())) == made.id


def test_times_may_be_hashed_as_stix2_writes_them() -> None:
    made = stix2.NetworkTraffic(start="2026-01-02T03:04:05.120Z", protocols=["tcp"], src_ref=f"ipv4-addr--{UUID}")
    members = {**json.loads(made.serialize()), "start": "2026-01-02T03:04:05.120Z"}
    assert made.id in acceptable_ids(members)
    assert deterministic_id(members) in acceptable_ids(members)


def test_the_full_prefix_of_an_address_may_be_omitted() -> None:
    short = deterministic_id({"type": "ipv4-addr", "value": "198.51.100.3"})
    assert short in acceptable_ids({"type": "ipv4-addr", "value": "198.51.100.3/32"})
    assert short not in acceptable_ids({"type": "ipv4-addr", "value": "198.51.100.3/31"})
    short = deterministic_id({"type": "ipv6-addr", "value": "2001:db8::1"})
    assert short in acceptable_ids({"type": "ipv6-addr", "value": "2001:db8::1/128"})


def test_any_hash_outside_the_preferred_ones_may_be_chosen() -> None:
    hashes = {"TLSH": "0" * 70, "SHA3-256": "1" * 64}
    alone = {deterministic_id({"type": "file", "hashes": {name: text}}) for name, text in hashes.items()}
    assert acceptable_ids({"type": "file", "hashes": hashes}) == alone


def test_signing_does_not_change_the_id() -> None:
    file = {"type": "file", "name": "x"}
    assert deterministic_id({**file, "extensions": {SIGNATURE_EXTENSION: {}}}) == deterministic_id(file)
    other = {"ntfs-ext": {"sid": "1"}}
    signed = {**file, "extensions": {SIGNATURE_EXTENSION: {}, **other}}
    assert deterministic_id(signed) == deterministic_id({**file, "extensions": other})


@pytest.mark.parametrize("members", [{"type": "process", "pid": 1}, {"type": "indicator", "name": "x"}, {}])
def test_what_has_no_contributing_property_has_no_deterministic_id(members: dict[str, Any]) -> None:
    assert deterministic_id(members) is None
    assert acceptable_ids(members) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        UUID,
        f"ipv4-addr-{UUID}",
        f"ipv4-addr--{UUID.upper()}",
        f"IPV4-addr--{UUID}",
        f"ipv4-addr---{UUID}",
        f"ipv4--addr--{UUID}",
        f"-addr--{UUID}",
        f"ipv4-addr--{UUID}\n",
        "ipv4-addr--28bb3599-77cd-6a82-a950-b5bc3caf07c4",
        "ipv4-addr--28bb3599-77cd-5a82-c950-b5bc3caf07c4",
        "ipv4-addr--00000000-0000-0000-0000-000000000000",
        "ipv4-addr--" + "\u0661" * 8 + UUID[8:],
        "",
    ],
)
def test_what_is_no_identifier_is_refused(text: str) -> None:
    assert not is_identifier(text)
    with pytest.raises(ObjectInvalidError) as caught:
        type_of(text, "/source_ref")
    assert (caught.value.code, caught.value.pointer) == ("identifier", "/source_ref")


def test_new_ids_are_random_and_well_formed() -> None:
    made = create_id("indicator")
    assert type_of(made) == "indicator"
    assert uuid.UUID(made.removeprefix("indicator--")).version == 4
    assert not is_uuid5(made)
    assert made != create_id("indicator")
