"""Objects with one body for everybody: TLP marking-definitions and the extension-definitions of this project.

They are known by body, never signed, and stand in every collection (wire-format.md). This module knows the
bodies; `checks.py` refuses an object that has such an id and another body.
"""

from collections.abc import Mapping
from typing import Any, Final

from exchange.stix.canonical import canonicalize
from exchange.stix.extension_ids import (
    APPEAL_EXTENSION,
    COA_PLAYBOOK_EXTENSION,
    DISTRIBUTION_EXTENSION,
    FEEDBACK_EXTENSION,
    KEYS_EXTENSION,
    RANGES_EXTENSION,
    SELECTOR_EXTENSION,
    SIGNATURE_EXTENSION,
    TLP2_EXTENSION,
    WITHDRAWAL_EXTENSION,
)
from exchange.stix.markings import TLP1_IDS, TLP2_IDS, Tlp

__all__ = [
    "APPEAL_EXTENSION",
    "COA_PLAYBOOK_EXTENSION",
    "DISTRIBUTION_EXTENSION",
    "EXTENSION_AUTHOR",
    "FEEDBACK_EXTENSION",
    "FIXED_IDS",
    "KEYS_EXTENSION",
    "RANGES_EXTENSION",
    "SELECTOR_EXTENSION",
    "SIGNATURE_EXTENSION",
    "TLP2_EXTENSION",
    "WITHDRAWAL_EXTENSION",
    "fixed_object",
    "is_fixed",
]

# wire-format.md
EXTENSION_AUTHOR: Final = "identity--764da277-1194-4712-be87-8e34507da49c"
_EXTENSIONS_CREATED: Final = "2026-11-23T00:00:00.000Z"
# STIX 2.1 section 7.2.1.4 and the OASIS common object repository.
_TLP1_CREATED: Final = "2017-01-20T00:00:00.000Z"
_TLP2_CREATED: Final = "2022-10-01T00:00:00.000Z"

_EXTENSIONS: Final[Mapping[str, tuple[str, str]]] = {
    SIGNATURE_EXTENSION: ("signature", "Detached JWS signatures by the producer over the JCS bytes of the object."),
    KEYS_EXTENSION: ("keys", "Root and signing keys of a lab or node, and the nodes that a lab calls its home."),
    DISTRIBUTION_EXTENSION: ("distribution", "The recipients to whom a producer limits what carries this marking."),
    SELECTOR_EXTENSION: ("selector", "How the pseudonymous value of an account was made: scheme, issuer and epoch."),
    RANGES_EXTENSION: ("ranges", "Address ranges with their network, kind, times seen and confidence."),
    FEEDBACK_EXTENSION: ("feedback", "Why a lab agrees or disagrees with an object, and on how much evidence."),
    APPEAL_EXTENSION: ("appeal", "A step in the appeal of a party that an object affects."),
    WITHDRAWAL_EXTENSION: ("withdrawal", "A node's notice that an object is no longer to be read as before."),
}


def _extension_definition(extension_id: str, name: str, description: str) -> dict[str, Any]:
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": extension_id,
        "created": _EXTENSIONS_CREATED,
        "modified": _EXTENSIONS_CREATED,
        "created_by_ref": EXTENSION_AUTHOR,
        "name": name,
        "description": description,
        "schema": f"/api/docs/extensions/{name}.json",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def _tlp2(label: Tlp) -> dict[str, Any]:
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": TLP2_IDS[label],
        "created": _TLP2_CREATED,
        "name": label.label,
        "extensions": {
            TLP2_EXTENSION: {
                "extension_type": "property-extension",
                "tlp_2_0": label.label.removeprefix("TLP:").lower(),
            }
        },
    }


def _tlp1(label: Tlp) -> dict[str, Any]:
    colour = "white" if label is Tlp.CLEAR else label.name.lower()
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": TLP1_IDS[label],
        "created": _TLP1_CREATED,
        "definition_type": "tlp",
        "name": f"TLP:{colour.upper()}",
        "definition": {"tlp": colour},
    }


_BODIES: Final[Mapping[str, bytes]] = {
    body["id"]: canonicalize(body)
    for body in (
        *(_tlp2(label) for label in TLP2_IDS),
        *(_tlp1(label) for label in TLP1_IDS),
        *(_extension_definition(key, name, description) for key, (name, description) in _EXTENSIONS.items()),
    )
}
FIXED_IDS: Final = frozenset(_BODIES)


def is_fixed(object_id: str) -> bool:
    """Tell whether an object with this id has one body for everybody."""
    return object_id in _BODIES


def fixed_object(object_id: str) -> bytes:
    """Return the RFC 8785 bytes of a fixed object.

    Raises: KeyError if `is_fixed` says no.
    """
    return _BODIES[object_id]
