"""How many objects a second one core reads and checks, and how that compares with stix2 in the same run.

The mix is what labs publish: signed indicators of about a kilobyte, relationships, infrastructure with address
ranges, observables with name-based ids. Every object and every pattern is different, so no cache helps.
"""

import base64
import hashlib
import time
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import stix2

from exchange.stix.checks import check_object
from exchange.stix.extension_ids import RANGES_EXTENSION, SIGNATURE_EXTENSION
from exchange.stix.identifiers import deterministic_id
from exchange.stix.markings import TLP2_IDS, Tlp
from exchange.stix.pattern import check_short_pattern
from exchange.stix.reading import read_object, split_envelope

OBJECTS = 4_000
STIX2_OBJECTS = 400
ROUNDS = 3
LAB = "identity--0b6ee6a4-6f1c-4c86-a4f0-4a3d5b0c9a51"


def main() -> None:
    """Print objects per second for each step."""
    raws = [orjson.dumps(realistic_object(number)) for number in range(OBJECTS)]
    body = b'{"objects":[' + b",".join(raws) + b"]}"
    print(f"{OBJECTS} objects, {sum(map(len, raws)) // OBJECTS} bytes on average, best of {ROUNDS} rounds")
    _report("split an envelope", OBJECTS, lambda: split_envelope(body))
    _report("read", OBJECTS, lambda: [read_object(raw) for raw in raws])
    read = [read_object(raw) for raw in raws]
    _report("check", OBJECTS, lambda: [check_object(raw) for raw in read])
    ours = _report(
        "all three", OBJECTS, lambda: [check_object(read_object(raw)) for raw in split_envelope(body).objects]
    )
    some = raws[:STIX2_OBJECTS]
    theirs = _report("stix2.parse", STIX2_OBJECTS, lambda: [stix2.parse(raw, allow_custom=True) for raw in some])
    print(f"{'ratio to stix2.parse':24}{ours / theirs:10.1f}")


def _report(step: str, count: int, work: Callable[[], object]) -> float:
    """Run a step `ROUNDS` times, print and return the objects per second of the best."""
    seconds = []
    for _round in range(ROUNDS):
        check_short_pattern.cache_clear()
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    rate = count / min(seconds)
    print(f"{step:24}{rate:10,.0f} objects/s{1e6 / rate:10.1f} us each")
    return rate


def realistic_object(number: int) -> dict[str, Any]:
    """Return the object at a place of the endless mix."""
    makers = (_indicator, _indicator, _relationship, _relationship, _address, _infrastructure, _address, _domain)
    members = makers[number % len(makers)](number)
    members["object_marking_refs"] = [TLP2_IDS[Tlp.AMBER]]
    members.setdefault("extensions", {})[SIGNATURE_EXTENSION] = _signature(number)
    return members


def _signature(number: int) -> dict[str, Any]:
    noise = hashlib.sha512(str(number).encode()).digest()
    header = orjson.dumps(
        {
            "alg": "Ed25519",
            "b64": False,
            "crit": ["b64"],
            "iat": 1767312000 + number,
            "kid": base64.urlsafe_b64encode(noise[:32]).rstrip(b"=").decode(),
        }
    )
    protected, signature = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, noise))
    return {
        "extension_type": "property-extension",
        "signatures": [{"protected": protected, "signature": signature}],
    }


def _domain_object(object_type: str, number: int) -> dict[str, Any]:
    moment = f"2026-01-02T03:{number // 60 % 60:02}:{number % 60:02}.000Z"
    return {
        "type": object_type,
        "spec_version": "2.1",
        "id": f"{object_type}--{uuid.UUID(int=number, version=4)}",
        "created_by_ref": LAB,
        "created": moment,
        "modified": moment,
        "confidence": 70,
    }


def _ip(number: int) -> str:
    return f"203.0.{number // 250 % 250}.{number % 250}"


def _indicator(number: int) -> dict[str, Any]:
    return {
        **_domain_object("indicator", number),
        "name": f"Relay {number}: größere Mengen, paraphrased prompts in bulk",
        "description": "Many accounts behind one egress send near-identical task batches at a steady pace. " * 2,
        "indicator_types": ["anomalous-activity"],
        "pattern": f"[ipv4-addr:value = '{_ip(number)}' AND network-traffic:dst_port = 443] WITHIN {number} SECONDS",
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": "2026-01-02T03:04:05Z",
        "valid_until": "2026-07-02T03:04:05Z",
        "kill_chain_phases": [{"kill_chain_name": "mitre-atlas", "phase_name": "exfiltration"}],
    }


def _relationship(number: int) -> dict[str, Any]:
    return {
        **_domain_object("relationship", number),
        "relationship_type": "indicates",
        "source_ref": f"indicator--{uuid.UUID(int=number, version=4)}",
        "target_ref": f"campaign--{uuid.UUID(int=number + 1, version=4)}",
        "start_time": "2026-01-02T03:04:05Z",
    }


def _infrastructure(number: int) -> dict[str, Any]:
    ranges = [
        {
            "net": f"198.51.100.{16 * place}/28",
            "asn": 64500 + place,
            "kind": "proxy",
            "first_seen": "2026-01-01T00:00:00Z",
            "last_seen": "2026-01-02T00:00:00Z",
            "confidence": 70,
        }
        for place in range(8)
    ]
    return {
        **_domain_object("infrastructure", number),
        "name": f"Proxy pool {number}",
        "infrastructure_types": ["anonymization"],
        "extensions": {RANGES_EXTENSION: {"extension_type": "property-extension", "ranges": ranges}},
    }


def _observable(object_type: str, value: str) -> dict[str, Any]:
    members = {"type": object_type, "spec_version": "2.1", "value": value}
    return {**members, "id": deterministic_id(members)}


def _address(number: int) -> dict[str, Any]:
    return _observable("ipv4-addr", _ip(number))


def _domain(number: int) -> dict[str, Any]:
    return _observable("domain-name", f"relay-{number}.example")


if __name__ == "__main__":
    main()
