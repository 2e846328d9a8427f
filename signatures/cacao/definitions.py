"""What a playbook defines beside its steps: variables, agents, targets, logins, markings, extensions.

Each is well formed, and each that is named is defined. Also the two rules that keep a shared playbook harmless to
its author: no literal secrets, and a TLP marking that says what its id says.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from exchange.stix.errors import shown
from exchange.stix.markings import Tlp
from signatures.cacao.limits import MAX_DEFINITIONS
from signatures.cacao.shape import Members, Path, check_identifier, check_period, check_shape, fault, parse_identifier
from signatures.cacao.vocabulary import (
    ADDRESS_KEYS,
    AUTHENTICATION,
    EXTENSION,
    EXTERNAL_REFERENCE,
    KEY_CARRIERS,
    MARKINGS,
    PARTIES,
    SECRET_PROPERTIES,
    SIGNATURE,
    TLP_LEVELS,
    VARIABLE,
    VARIABLE_TYPES,
    Shape,
)

_VARIABLE_NAME: Final = re.compile(r"__[a-zA-Z_][a-zA-Z0-9_-]{0,199}__")
_WHOLE_REFERENCE: Final = re.compile(r"(__[a-zA-Z_][a-zA-Z0-9_-]{0,199}?__):value")
# A run of name characters is read once, from its first: a megabyte of underscores begins a name everywhere.
_RUN_BEFORE_VALUE: Final = re.compile(r"(?<![a-zA-Z0-9_-])([a-zA-Z0-9_-]++)(?=:value)")
_NAME_AT_END: Final = re.compile(r"__[a-zA-Z_][a-zA-Z0-9_-]{0,199}?__\Z")
_MAX_NAME_CHARS: Final = 204
_LABELS: Final[Mapping[str, Tlp]] = {
    "TLP:CLEAR": Tlp.CLEAR,
    "TLP:GREEN": Tlp.GREEN,
    "TLP:AMBER": Tlp.AMBER,
    "TLP:AMBER+STRICT": Tlp.AMBER_STRICT,
    "TLP:RED": Tlp.RED,
}
# IEP 2.0 predates TLP 2.0.
_IEP_LABELS: Final[Mapping[str, Tlp]] = {
    "white": Tlp.CLEAR,
    "green": Tlp.GREEN,
    "amber": Tlp.AMBER,
    "red": Tlp.RED,
}


def check_definitions(playbook: Members) -> None:
    """Check everything that a playbook defines outside its workflow.

    Raises: ObjectInvalidError with a pointer.
    """
    check_variables(playbook.get("playbook_variables", {}), ("playbook_variables",))
    _check_typed(playbook, "authentication_info_definitions", AUTHENTICATION)
    for section in ("agent_definitions", "target_definitions"):
        _check_typed(playbook, section, PARTIES)
        for identifier, party in playbook.get(section, {}).items():
            _check_party(party, playbook, (section, identifier))
    _check_typed(playbook, "data_marking_definitions", MARKINGS)
    _check_typed(playbook, "extension_definitions", {"extension-definition": EXTENSION})
    _check_defined(playbook.get("playbook_extensions", {}), playbook, ("playbook_extensions",))
    _check_secrets(playbook)
    check_external_references(playbook, ())
    for position, signature in enumerate(playbook.get("signatures", ())):
        _check_signature(signature, ("signatures", position))


def check_variables(variables: Any, path: Path) -> None:
    """Check a dictionary of variables (CACAO 2.0 section 10.18).

    Raises: ObjectInvalidError.
    """
    if len(variables) > MAX_DEFINITIONS:
        raise fault("too-many", f"More than {MAX_DEFINITIONS} definitions.", path)
    for name, variable in variables.items():
        if _VARIABLE_NAME.fullmatch(name) is None:
            raise fault("variable-name", f"{shown(name)} is no name of a variable.", (*path, name))
        check_shape(variable, VARIABLE, (*path, name))
        if variable["type"] not in VARIABLE_TYPES:
            raise fault("variable-type", f"{shown(variable['type'])} is no type.", (*path, name, "type"))


def check_external_references(members: Members, path: Path) -> None:
    """Check the external references of a playbook or a part of it.

    Raises: ObjectInvalidError.
    """
    for position, reference in enumerate(members.get("external_references", ())):
        check_shape(reference, EXTERNAL_REFERENCE, (*path, "external_references", position))


def variables_in(text: str) -> frozenset[str]:
    """Return the names of the variables that a text refers to."""
    runs = (run[-_MAX_NAME_CHARS:] for run in _RUN_BEFORE_VALUE.findall(text) if run.endswith("__"))
    return frozenset(found[0] for found in map(_NAME_AT_END.search, runs) if found is not None)


def label_of(playbook: Members) -> Tlp | None:
    """Return the strictest TLP label among the playbook's markings, None if it has none.

    Raises: ObjectInvalidError for a marking that is not defined or contradicts its id.
    """
    labels = []
    definitions = playbook.get("data_marking_definitions", {})
    for position, identifier in enumerate(playbook.get("markings", ())):
        path: Path = ("markings", position)
        if identifier not in definitions:
            raise fault("unknown-marking", f"{shown(identifier)} is not defined.", path)
        marking = definitions[identifier]
        where: Path = ("data_marking_definitions", identifier)
        if marking["type"] == "marking-tlp":
            labels.append(_tlp_label(identifier, marking, where))
        elif marking["type"] == "marking-iep" and marking["tlp"].lower() in _IEP_LABELS:
            labels.append(_IEP_LABELS[marking["tlp"].lower()])
    return max(labels) if labels else None


def _tlp_label(identifier: str, marking: Members, path: Path) -> Tlp:
    level = TLP_LEVELS.get(identifier.partition("--")[2])
    if level is None or marking["tlpv2_level"] != level:
        raise fault("tlp", "Only the five fixed TLP markings stand for TLP, each for its level.", path)
    return _LABELS[level]


def _check_typed(playbook: Members, section: str, shapes: Mapping[str, Shape]) -> None:
    """Check a dictionary `<type>--<uuid>` to object, and that key, type and id agree."""
    definitions = playbook.get(section, {})
    if len(definitions) > MAX_DEFINITIONS:
        raise fault("too-many", f"More than {MAX_DEFINITIONS} definitions.", (section,))
    for identifier, members in definitions.items():
        path = (section, identifier)
        parsed = parse_identifier(identifier)
        kind = members.get("type") if isinstance(members, dict) else None
        shape = shapes.get(kind) if isinstance(kind, str) else None
        if parsed is None or shape is None:
            raise fault("definition", f"This is no {section.removesuffix('_definitions')} of CACAO 2.0.", path)
        check_shape(members, shape, path)
        if parsed[0] != kind or members.get("id", identifier) != identifier:
            raise fault("identifier", "Key, type and id of the definition disagree.", path)
        check_period(members, "valid_from", "valid_until", path, may_equal=False)
        check_external_references(members, path)
        for name in ("authentication_info_extensions", "marking_extensions"):
            _check_defined(members.get(name, {}), playbook, (*path, name))


def _check_party(party: Members, playbook: Members, path: Path) -> None:
    for key, values in party.get("address", {}).items():
        is_texts = isinstance(values, list) and values and all(isinstance(item, str) for item in values)
        if key not in ADDRESS_KEYS or not is_texts:
            raise fault("address", "An address maps a known kind to a list of texts.", (*path, "address", key))
    login = party.get("authentication_info")
    if login is not None and login not in playbook.get("authentication_info_definitions", {}):
        raise fault("unknown-login", f"{shown(login)} is not defined.", (*path, "authentication_info"))
    _check_defined(party.get("agent_target_extensions", {}), playbook, (*path, "agent_target_extensions"))


def _check_defined(extensions: Members, playbook: Members, path: Path) -> None:
    for identifier in extensions:
        if identifier not in playbook.get("extension_definitions", {}):
            raise fault("unknown-extension", f"{shown(identifier)} is not defined.", (*path, identifier))


def check_step_extensions(step: Members, playbook: Members, path: Path) -> None:
    """Check that the extensions of a step are defined.

    Raises: ObjectInvalidError.
    """
    _check_defined(step.get("step_extensions", {}), playbook, (*path, "step_extensions"))


def _check_secrets(playbook: Members) -> None:
    """A secret is a variable that the adopter fills in, or the name of a key in the adopter's own key store."""
    variables = playbook.get("playbook_variables", {})
    for identifier, login in playbook.get("authentication_info_definitions", {}).items():
        for name in SECRET_PROPERTIES:
            path = ("authentication_info_definitions", identifier, name)
            if name not in login or login.get("kms", False):
                continue
            reference = _WHOLE_REFERENCE.fullmatch(login[name])
            if reference is None:
                raise fault("literal-secret", "A secret is given as a variable, never literally.", path)
            if variables.get(reference[1], {}).get("value"):
                raise fault(
                    "literal-secret",
                    "The variable of a secret has no value in a shared playbook.",
                    ("playbook_variables", reference[1], "value"),
                )


def _check_signature(signature: Any, path: Path) -> None:
    """A signature and what countersigns it; whether they verify is asked in signing.py."""
    while signature is not None:
        check_shape(signature, SIGNATURE, path)
        if signature["type"] != "jss" or sum(name in signature for name in KEY_CARRIERS) != 1:
            raise fault("signature", "A signature has type `jss` and exactly one key carrier.", path)
        check_identifier(signature["id"], "jss", (*path, "id"))
        check_identifier(signature["related_to"], "playbook", (*path, "related_to"))
        check_period(signature, "created", "modified", path, may_equal=True)
        check_period(signature, "valid_from", "valid_until", path, may_equal=False)
        signature, path = signature.get("signature"), (*path, "signature")
