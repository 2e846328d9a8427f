"""The eight sample signatures: sound, complete in what they say, and carried by STIX that a node accepts."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import stix2
import yaml

from exchange.services.scope import check_scope
from exchange.stix.checks import check_object
from exchange.stix.reading import read_object
from signatures.atlas import TECHNIQUES
from signatures.inspectors import inspect_object
from signatures.samplelogs import LOOKALIKES
from signatures.samples import SAMPLE_SIGNATURES, SampleSignature, sample_bundle_objects
from signatures.samples.catalogue import RULES
from signatures.sigma import inspect_rule
from signatures.vocabulary import VOCABULARY

EVERY = pytest.mark.parametrize("signature", SAMPLE_SIGNATURES.values(), ids=list(SAMPLE_SIGNATURES))
CREATOR = "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a01"
CREATED = datetime(2026, 11, 3, 9, tzinfo=UTC)
TYPES = {"event_count", "value_count", "value_sum", "temporal", "temporal_ordered"}
# Words of the look-alikes as people write them.
CONFUSED = re.compile(
    r"evaluation suites|CI fleets|enterprise|tutoring|harness|labelling|launch|contract|company|research", re.IGNORECASE
)


def documents(signature: SampleSignature) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(signature.text))


def test_there_are_eight_and_no_other_file() -> None:
    assert list(SAMPLE_SIGNATURES) == [f"d{number}" for number in range(1, 9)]
    assert {path.name for path in RULES.iterdir()} == {signature.file for signature in SAMPLE_SIGNATURES.values()}
    ids = [document["id"] for signature in SAMPLE_SIGNATURES.values() for document in documents(signature)]
    assert len(set(ids)) == len(ids)
    assert all(UUID(each).version == 4 for each in ids)


@EVERY
def test_nothing_is_to_be_remarked(signature: SampleSignature) -> None:
    inspection = inspect_rule(signature.text)
    assert (inspection.warnings, inspection.remarks, inspection.unlisted) == ((), (), ())
    assert set(inspection.fields) <= VOCABULARY.fields.keys()
    assert re.fullmatch(r"mr_[a-z0-9_]{7,67}\.yml", signature.file)


@EVERY
def test_each_says_what_it_confuses_and_what_it_is_for(signature: SampleSignature) -> None:
    outermost = signature.outermost
    assert CONFUSED.search(" ".join(outermost["falsepositives"]))
    assert {"title", "id", "name", "status", "description", "date", "level", "tags", "references"} <= outermost.keys()
    tags = {tag.removeprefix("atlas.").upper() for tag in outermost["tags"] if tag.startswith("atlas.")}
    assert tags == {technique.replace(".", "-") for technique in signature.techniques}
    for document in documents(signature):
        if "correlation" in document:
            assert document["correlation"]["type"] in TYPES
            continue
        assert document["logsource"]["product"] == "llm_gateway"
        assert document["logsource"]["category"] in {"llm_api", "llm_account"}
        assert document["logsource"]["definition"].endswith(f"vocabulary {VOCABULARY.version}")


def test_together_they_name_the_look_alikes() -> None:
    said = " ".join(
        text.lower() for signature in SAMPLE_SIGNATURES.values() for text in signature.outermost["falsepositives"]
    )
    for name in LOOKALIKES:
        assert name.split("_")[0].removesuffix("ed") in said, name


def test_as_stix_they_are_valid_in_scope_and_survive_an_ordinary_client() -> None:
    objects = sample_bundle_objects(CREATOR, CREATED)
    for members in objects:
        assert check_object(read_object(json.dumps(members).encode())).warnings == ()
        assert check_scope(members, inspect_object(members)) == ()
        assert json.loads(stix2.parse(members, version="2.1").serialize()) == members
    assert objects == sample_bundle_objects(CREATOR, CREATED)
    assert not {each["id"] for each in objects} & {
        each["id"] for each in sample_bundle_objects(CREATOR.replace("0d1d", "ffff"), CREATED)
    }


def test_an_indicator_carries_the_rule_and_points_to_atlas() -> None:
    objects = sample_bundle_objects(CREATOR, CREATED)
    indicators = [each for each in objects if each["type"] == "indicator"]
    for signature, indicator in zip(SAMPLE_SIGNATURES.values(), indicators, strict=True):
        assert indicator["pattern"] == signature.text
        assert (indicator["pattern_type"], indicator["pattern_version"]) == ("sigma", "2.1.0")
        assert indicator["valid_until"] > indicator["valid_from"] == "2026-11-03T09:00:00Z"
        assert indicator["external_references"][0] == {
            "source_name": "sigma-rule",
            "external_id": signature.outermost["id"],
        }
        assert indicator["kill_chain_phases"][0]["phase_name"] == signature.phase
        related = [each for each in objects if each.get("source_ref") == indicator["id"]]
        assert [each["target_ref"] for each in related] == [TECHNIQUES[each].object for each in signature.techniques]
        assert all(each["object_marking_refs"] == indicator["object_marking_refs"] for each in related)
