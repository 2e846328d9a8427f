"""The classes of STIX objects and which common properties each may carry (STIX 2.1 section 3.2, table 3.2)."""

from enum import Enum
from typing import Final


class ObjectClass(Enum):
    """What sort of object a type is."""

    SDO = "domain object"
    SRO = "relationship object"
    SCO = "observable"
    EXTENSION_DEFINITION = "extension-definition"
    LANGUAGE_CONTENT = "language-content"
    MARKING_DEFINITION = "marking-definition"


SDO_TYPES: Final = frozenset(
    {
        "attack-pattern",
        "campaign",
        "course-of-action",
        "grouping",
        "identity",
        "incident",
        "indicator",
        "infrastructure",
        "intrusion-set",
        "location",
        "malware",
        "malware-analysis",
        "note",
        "observed-data",
        "opinion",
        "report",
        "threat-actor",
        "tool",
        "vulnerability",
    }
)
SRO_TYPES: Final = frozenset({"relationship", "sighting"})
SCO_TYPES: Final = frozenset(
    {
        "artifact",
        "autonomous-system",
        "directory",
        "domain-name",
        "email-addr",
        "email-message",
        "file",
        "ipv4-addr",
        "ipv6-addr",
        "mac-addr",
        "mutex",
        "network-traffic",
        "process",
        "software",
        "url",
        "user-account",
        "windows-registry-key",
        "x509-certificate",
    }
)
META_TYPES: Final = frozenset({"extension-definition", "language-content", "marking-definition"})

CLASS_OF: Final = {
    **dict.fromkeys(SDO_TYPES, ObjectClass.SDO),
    **dict.fromkeys(SRO_TYPES, ObjectClass.SRO),
    **dict.fromkeys(SCO_TYPES, ObjectClass.SCO),
    "extension-definition": ObjectClass.EXTENSION_DEFINITION,
    "language-content": ObjectClass.LANGUAGE_CONTENT,
    "marking-definition": ObjectClass.MARKING_DEFINITION,
}

FORBIDDEN_PROPERTIES: Final = {
    ObjectClass.SDO: frozenset({"defanged"}),
    ObjectClass.SRO: frozenset({"defanged"}),
    ObjectClass.SCO: frozenset(
        {
            "created_by_ref",
            "created",
            "modified",
            "revoked",
            "labels",
            "confidence",
            "lang",
            "external_references",
        }
    ),
    ObjectClass.EXTENSION_DEFINITION: frozenset({"confidence", "lang", "defanged", "extensions"}),
    ObjectClass.LANGUAGE_CONTENT: frozenset({"lang", "defanged"}),
    ObjectClass.MARKING_DEFINITION: frozenset({"modified", "revoked", "labels", "confidence", "lang", "defanged"}),
}

# STIX 2.1 section 3.8; the OASIS schema spells the third in the plural, which is refused by it all the same.
RESERVED_PROPERTIES: Final = frozenset({"severity", "username", "phone_number", "action"})

# STIX 2.1 section 7.3: how an object of a type unknown to the standard says what it is.
CLASS_OF_NEW_TYPE: Final = {
    "new-sdo": ObjectClass.SDO,
    "new-sro": ObjectClass.SRO,
    "new-sco": ObjectClass.SCO,
}
