"""One CACAO 2.0 playbook, inspected: what it is, how it is marked, what it says, who signed it.

The first fault ends it. Digital signatures are recomputed with the keys that they carry; trust in keys is not decided
here, and neither is whether the playbook is safe to adopt (safety.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.stix.errors import MalformedJsonError, ObjectInvalidError, pointer_to, shown
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from signatures.cacao.commands import check_commands, check_no_credentials, sigma_rules, texts_of
from signatures.cacao.conditions import ConditionError, parse_condition
from signatures.cacao.consistency import check_uuids, inconsistencies_of
from signatures.cacao.definitions import (
    check_definitions,
    check_external_references,
    check_step_extensions,
    check_variables,
    label_of,
    variables_in,
)
from signatures.cacao.flow import flow_of
from signatures.cacao.limits import MAX_PLAYBOOK_BYTES
from signatures.cacao.shape import Members, Path, check_identifier, check_period, check_shape, fault
from signatures.cacao.signing import SignatureReport, Standing, verify_signatures
from signatures.cacao.vocabulary import PLAYBOOK
from signatures.cacao.workflow import check_workflow
from signatures.sigma import SigmaInspection


@dataclass(frozen=True, slots=True)
class PlaybookInspection:
    """What one playbook holds.

    modified: as written. label: the strictest TLP marking. texts: (JSON pointer, text), base64 decoded.
    rules: (JSON pointer, inspection) of each Sigma rule inside. signatures: those of the playbook itself, recomputed.
    warnings: (code, JSON pointer, sentence) of what a person should look at. members: the playbook, parsed.
    """

    id: str
    name: str
    created_by: str
    modified: str
    revoked: bool
    types: tuple[str, ...]
    label: Tlp | None
    texts: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, SigmaInspection], ...]
    signatures: tuple[SignatureReport, ...]
    warnings: tuple[tuple[str, str, str], ...]
    members: Members


def inspect_playbook(raw: bytes) -> PlaybookInspection:
    """Inspect the bytes of a playbook (CACAO 2.0 CS01).

    Raises: ObjectInvalidError or MalformedJsonError with a JSON pointer into the playbook.
    """
    if len(raw) > MAX_PLAYBOOK_BYTES:
        raise MalformedJsonError("cacao-too-large", f"A playbook has at most {MAX_PLAYBOOK_BYTES} bytes.")
    playbook = check_shape(read_object(raw).members, PLAYBOOK, ())
    _check_head(playbook)
    check_definitions(playbook)
    check_workflow(playbook)
    check_uuids(playbook)
    for identifier, step in playbook["workflow"].items():
        _check_step(step, playbook, ("workflow", identifier))
    flow_of(playbook)
    _check_definitions_variables(playbook)
    texts = tuple(texts_of(playbook))
    for path, text in texts:
        check_no_credentials(text, path)
    signatures = verify_signatures(playbook)
    return PlaybookInspection(
        id=playbook["id"],
        name=playbook["name"],
        created_by=playbook["created_by"],
        modified=playbook["modified"],
        revoked=playbook.get("revoked", False),
        types=tuple(playbook.get("playbook_types", ())),
        label=label_of(playbook),
        texts=tuple((pointer_to(path), text) for path, text in texts),
        rules=tuple(sigma_rules(playbook)),
        signatures=signatures,
        warnings=(*_unchecked(signatures), *inconsistencies_of(playbook)),
        members=playbook,
    )


def _unchecked(signatures: tuple[SignatureReport, ...]) -> Iterator[tuple[str, str, str]]:
    for report in signatures:
        if report.standing is Standing.UNCHECKED:
            yield "cacao-signature-unchecked", report.pointer, f"The signature was not recomputed: {report.reason}."


def _check_head(playbook: Members) -> None:
    if playbook["type"] != "playbook" or playbook["spec_version"] != "cacao-2.0":
        where = "type" if playbook["type"] != "playbook" else "spec_version"
        raise fault("type", "This is no playbook of CACAO 2.0.", (where,))
    check_identifier(playbook["id"], "playbook", ("id",))
    check_period(playbook, "created", "modified", (), may_equal=True)
    check_period(playbook, "valid_from", "valid_until", (), may_equal=False)
    for name in ("derived_from", "related_to"):
        for position, identifier in enumerate(playbook.get(name, ())):
            check_identifier(identifier, "playbook", (name, position))


def _check_step(step: Members, playbook: Members, path: Path) -> None:
    check_variables(step.get("step_variables", {}), (*path, "step_variables"))
    check_external_references(step, path)
    check_step_extensions(step, playbook, path)
    if "condition" in step:
        _check_condition(step["condition"], (*path, "condition"))
    if step["type"] == "action":
        check_commands(step, path)
        _check_party(step["agent"], playbook, "agent_definitions", (*path, "agent"))
        for position, target in enumerate(step.get("targets", ())):
            _check_party(target, playbook, "target_definitions", (*path, "targets", position))
    elif step["type"] == "playbook-action":
        check_identifier(step["playbook_id"], "playbook", (*path, "playbook_id"))
    _check_variables_exist(step, playbook, path)


def _check_condition(text: str, path: Path) -> None:
    try:
        parse_condition(text)
    except ConditionError as error:
        raise fault("condition", f"{str(error).capitalize()}.", path) from None


def _check_party(identifier: str, playbook: Members, section: str, path: Path) -> None:
    if identifier not in playbook.get(section, {}):
        raise fault("unknown-party", f"{shown(identifier)} is not in {section}.", path)


def _check_definitions_variables(playbook: Members) -> None:
    """What agents, targets and logins refer to are variables of the whole playbook: no step is there to have others."""
    known = playbook.get("playbook_variables", {})
    for section in ("agent_definitions", "target_definitions", "authentication_info_definitions"):
        for where, text in texts_of(playbook.get(section, {}), (section,)):
            for name in variables_in(text):
                if name not in known:
                    raise _unknown_variable(name, where)


def _check_variables_exist(step: Members, playbook: Members, path: Path) -> None:
    known = playbook.get("playbook_variables", {}).keys() | step.get("step_variables", {}).keys()
    for where, text in texts_of(step, path):
        for name in variables_in(text):
            if name not in known:
                raise _unknown_variable(name, where)
    if "switch" in step and step["switch"].removesuffix(":value") not in known:
        raise _unknown_variable(step["switch"], (*path, "switch"))
    for key in ("in_args", "out_args"):
        for position, argument in enumerate(step.get(key, ())):
            if argument.removesuffix(":value") not in known:
                raise _unknown_variable(argument, (*path, key, position))


def _unknown_variable(name: str, path: Path) -> ObjectInvalidError:
    return fault("unknown-variable", f"The variable {shown(name)} is not defined.", path)
