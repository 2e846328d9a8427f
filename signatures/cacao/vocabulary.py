"""The properties of CACAO 2.0 objects (CS01) as tables: which exist, of which kind, which are required.

Kinds are checked by `shape.py`. A property outside the tables is refused: CACAO has extensions for what it lacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Shape:
    """Properties of one kind of object; kinds: property to kind. required: names that must be there."""

    kinds: Mapping[str, str]
    required: frozenset[str]


def _shape(*parts: str) -> Shape:
    """Build a shape from words `name:kind`, required ones with a `!` at the end."""
    words = [word for part in parts for word in part.split()]
    pairs = [(name, kind) for name, _colon, kind in (word.rstrip("!").partition(":") for word in words)]
    return Shape(
        dict(pairs),
        frozenset(word.split(":")[0] for word in words if word.endswith("!")),
    )


PLAYBOOK: Final = _shape(
    "type:text! spec_version:text! id:text! name:text! created_by:identity! created:time! modified:time!",
    "workflow_start:text! workflow:map! description:text playbook_types:texts playbook_activities:texts",
    "playbook_processing_summary:flags revoked:bool valid_from:time valid_until:time derived_from:texts",
    "related_to:texts priority:percent severity:percent impact:percent industry_sectors:texts labels:texts",
    "external_references:maps markings:texts playbook_variables:map workflow_exception:text",
    "authentication_info_definitions:map agent_definitions:map target_definitions:map",
    "extension_definitions:map data_marking_definitions:map playbook_extensions:map signatures:maps",
)

_STEP: Final = (
    "type:text! name:text description:text external_references:maps delay:count timeout:count step_variables:map"
    " owner:identity step_extensions:map on_completion:text on_success:text on_failure:text"
)
STEPS: Final[Mapping[str, Shape]] = {
    "start": _shape(_STEP),
    "end": _shape(_STEP),
    "action": _shape(_STEP, "commands:maps! agent:text! targets:texts in_args:texts out_args:texts"),
    "playbook-action": _shape(_STEP, "playbook_id:text! playbook_version:time in_args:texts out_args:texts"),
    "parallel": _shape(_STEP, "next_steps:texts!"),
    "if-condition": _shape(_STEP, "condition:text! on_true:text! on_false:text"),
    "while-condition": _shape(_STEP, "condition:text! on_true:text!"),
    "switch-condition": _shape(_STEP, "switch:text! cases:text_map!"),
}

VARIABLE: Final = _shape("type:text! description:text value:text_or_null constant:bool external:bool")
VARIABLE_TYPES: Final = frozenset(
    [
        "bool",
        "dictionary",
        "float",
        "hexstring",
        "integer",
        "ipv4-addr",
        "ipv6-addr",
        "long",
        "mac-addr",
        "hash",
        "md5-hash",
        "sha256-hash",
        "string",
        "uri",
        "uuid",
    ]
)

_COMMAND: Final = "type:text! description:text version:text playbook_activity:text external_references:maps"
_PLAIN: Final = _shape(_COMMAND, "command:text command_b64:text")
_ENCODED: Final = _shape(_COMMAND, "command_b64:text!")
COMMANDS: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("manual", "bash", "powershell", "ssh", "caldera-cmd"), _PLAIN),
    **dict.fromkeys(("elastic", "jupyter", "kestrel", "sigma", "yara"), _ENCODED),
    "http-api": _shape(_COMMAND, "command:text! headers:map content:text content_b64:text"),
    "openc2-http": _shape(_COMMAND, "command:text! content_b64:text! headers:map"),
}

_PARTY: Final = "type:text! name:text! description:text location:map agent_target_extensions:map"
_HOST: Final = _shape(_PARTY, "address:map! port:text category:texts authentication_info:text")
PARTIES: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(("group", "individual", "organization"), _shape(_PARTY, "contact:map")),
    **dict.fromkeys(("http-api", "linux", "ssh"), _HOST),
    "net-address": _shape(_PARTY, "address:map!"),
    "location": _shape(_PARTY, "logical:texts"),
    "sector": _shape(_PARTY, "sector:text!"),
    "security-category": _shape(_PARTY, "category:texts!"),
}
ADDRESS_KEYS: Final = frozenset(["dname", "ipv4", "ipv6", "l2mac", "vlan", "url"])

_LOGIN: Final = (
    "type:text! name:text description:text kms:bool kms_key_identifier:text authentication_info_extensions:map"
)
AUTHENTICATION: Final[Mapping[str, Shape]] = {
    "http-basic": _shape(_LOGIN, "user_id:text! password:text!"),
    "oauth2": _shape(_LOGIN, "oauth_header:text! token:text!"),
    "user-auth": _shape(_LOGIN, "username:text! password:text!"),
}
SECRET_PROPERTIES: Final = ("password", "token")

_MARKING: Final = (
    "type:text! id:text! created_by:identity! created:time! name:text description:text revoked:bool"
    " valid_from:time valid_until:time labels:texts external_references:maps marking_extensions:map"
)
MARKINGS: Final[Mapping[str, Shape]] = {
    "marking-statement": _shape(_MARKING, "statement:text!"),
    "marking-tlp": _shape(_MARKING, "tlpv2_level:text!"),
    "marking-iep": _shape(
        _MARKING,
        "tlp:text! iep_version:any! start_date:any! end_date:any! encrypt_in_transit:text!",
        "permitted_actions:text! affected_party_notifications:text! attribution:text! unmodified_resale:text!",
    ),
}

EXTENSION: Final = _shape(
    "type:text! name:text! created_by:identity! schema:text! version:text! description:text external_references:maps"
)
EXTERNAL_REFERENCE: Final = _shape(
    "name:text! description:text source:text url:text external_id:text reference_id:text"
)
SIGNATURE: Final = _shape(
    "type:text! id:text! created:time! modified:time! signee:text! related_to:text! related_version:time!",
    "hash_algorithm:text! algorithm:text! value:text! created_by:identity revoked:bool valid_from:time",
    "valid_until:time public_key:text public_cert_chain:texts cert_url:text thumbprint:text signature:map",
)
KEY_CARRIERS: Final = ("public_key", "public_cert_chain", "cert_url", "thumbprint")

# The five fixed TLP markings reuse the UUIDs of STIX (CACAO common objects); uuid to level.
TLP_LEVELS: Final[Mapping[str, str]] = {
    "94868c89-83c2-464b-929b-a1a8aa3c8487": "TLP:CLEAR",
    "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "TLP:GREEN",
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421": "TLP:AMBER",
    "939a9414-2ddd-4d32-a0cd-375ea402b003": "TLP:AMBER+STRICT",
    "e828b379-4e03-4974-9ac4-e53a884c97c1": "TLP:RED",
}
