"""One small valid object per type, made by hand: what tests of checking start from and break."""

from typing import Any

UUID = "0b6ee6a4-6f1c-4c86-a4f0-4a3d5b0c9a51"
TIME = "2026-01-02T03:04:05.000Z"
LATER = "2026-01-03T03:04:05.000Z"
INDICATOR = f"indicator--{UUID}"
ADDRESS = "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"
NEW_TYPE = "extension-definition--4ca6de00-5b0d-45ef-a1dc-ea7279ea910e"

_SPECIFIC: dict[str, dict[str, Any]] = {
    "attack-pattern": {"name": "Paraphrase farming"},
    "campaign": {"name": "Copper Heron", "first_seen": TIME, "last_seen": LATER},
    "course-of-action": {"name": "Throttle"},
    "grouping": {"context": "suspicious-activity", "object_refs": [INDICATOR]},
    "identity": {"name": "Aurora", "identity_class": "organization", "sectors": ["technology"]},
    "incident": {"name": "Extraction in March"},
    "indicator": {
        "name": "Relay",
        "indicator_types": ["anomalous-activity"],
        "pattern": "[ipv4-addr:value = '198.51.100.3']",
        "pattern_type": "stix",
        "valid_from": TIME,
        "valid_until": LATER,
    },
    "infrastructure": {"name": "Proxy pool", "infrastructure_types": ["anonymization"]},
    "intrusion-set": {"name": "Copper Heron"},
    "location": {"region": "northern-europe"},
    "malware": {"is_family": False, "malware_types": ["bot"]},
    "malware-analysis": {"product": "sandbox", "result": "benign"},
    "note": {"content": "Seen twice.", "object_refs": [INDICATOR]},
    "observed-data": {
        "first_observed": TIME,
        "last_observed": TIME,
        "number_observed": 3,
        "object_refs": [ADDRESS],
    },
    "opinion": {"opinion": "agree", "object_refs": [INDICATOR]},
    "report": {"name": "March", "published": TIME, "object_refs": [INDICATOR]},
    "threat-actor": {"name": "Copper Heron", "threat_actor_types": ["competitor"], "roles": ["sponsor"]},
    "tool": {"name": "harvester"},
    "vulnerability": {"name": "CVE-2026-0001"},
    "relationship": {"relationship_type": "indicates", "source_ref": INDICATOR, "target_ref": f"campaign--{UUID}"},
    "sighting": {"sighting_of_ref": INDICATOR, "count": 2, "first_seen": TIME, "last_seen": TIME},
    "artifact": {"payload_bin": "AAAA"},
    "autonomous-system": {"number": 64500},
    "directory": {"path": "/srv"},
    "domain-name": {"value": "relay.example"},
    "email-addr": {"value": "abuse@relay.example"},
    "email-message": {"is_multipart": False, "subject": "x"},
    "file": {"name": "x.bin", "hashes": {"MD5": "0" * 32}},
    "ipv4-addr": {"value": "198.51.100.3"},
    "ipv6-addr": {"value": "2001:db8::1"},
    "mac-addr": {"value": "00:00:5e:00:53:01"},
    "mutex": {"name": "m"},
    "network-traffic": {"protocols": ["tcp"], "src_ref": ADDRESS, "start": TIME, "end": TIME, "is_active": False},
    "process": {"pid": 7},
    "software": {"name": "example-sdk"},
    "url": {"value": "https://relay.example/v1"},
    "user-account": {"user_id": "u-1", "account_type": "unix"},
    "windows-registry-key": {"key": "hkey_local_machine\\x"},
    "x509-certificate": {"serial_number": "36:f7"},
    "extension-definition": {
        "name": "x",
        "schema": "https://lab.example/x.json",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
        "created_by_ref": f"identity--{UUID}",
    },
    "language-content": {"object_ref": INDICATOR, "contents": {"de": {"name": "Relais"}}},
    "marking-definition": {"definition_type": "statement", "definition": {"statement": "Handle with care"}},
}
# The observables stand together, from here to there.
_NAMES = tuple(_SPECIFIC)
OBSERVABLES = frozenset(_NAMES[_NAMES.index("artifact") : _NAMES.index("x509-certificate") + 1])
TYPES = tuple(_SPECIFIC)


def sample(object_type: str, **changes: Any) -> dict[str, Any]:
    """Return a valid object of a type with `changes`; a change to None leaves the property out."""
    members: dict[str, Any] = {"type": object_type, "spec_version": "2.1", "id": f"{object_type}--{UUID}"}
    if object_type not in OBSERVABLES:
        members["created"] = TIME
        if object_type != "marking-definition":
            members["modified"] = TIME
    members |= _SPECIFIC[object_type] | changes
    return {name: value for name, value in members.items() if value is not None}
