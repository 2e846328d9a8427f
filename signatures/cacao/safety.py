"""Is a playbook safe to hand to another lab? One table of rules, each refusing or warning, with the step at fault.

It reads what a playbook says, by the conventions of docs/playbooks.md. It proves nothing about what an adopter's
systems do with it, and no playbook ever runs here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, pointer_to
from signatures.cacao.commands import texts_of
from signatures.cacao.effects import RESTRICTING, TAKING_AWAY, Effect, effects_of, is_undeclared, runs_code, text_of
from signatures.cacao.facts import Certainty, Fact
from signatures.cacao.flow import Flow, flow_of

APPEAL_ADDRESS: Final = "__appeal_address__"
"""The variable that holds where a customer appeals, by the convention of docs/playbooks.md."""

MAX_FINDINGS: Final = 50
"""A person reads them; a playbook of 500 bad steps is not told 500 times."""

Path = tuple[str | int, ...]


class Severity(StrEnum):
    """What a rule does to a playbook that breaks it."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a playbook breaks. pointer: into the playbook, to the step or value at fault."""

    code: str
    severity: Severity
    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the table. broken_at: the places in a playbook that break it."""

    code: str
    severity: Severity
    message: str
    broken_at: Callable[["Reading"], Iterator[Path]]


class Reading:
    """A playbook as the rules look at it."""

    def __init__(self, playbook: Mapping[str, Any]) -> None:
        self.playbook = playbook
        self.flow: Flow = flow_of(playbook)
        self.steps: Mapping[str, Mapping[str, Any]] = self.flow.steps
        self.effects = {identifier: effects_of(step) for identifier, step in self.steps.items()}
        self.appealing = frozenset(each for each in self.steps_that({Effect.NOTIFY}) if names_appeal(playbook, each))
        self.certainty = Certainty(self.flow, self.appealing)
        self.undone_later = _led_from(self.flow, [each for each in self.steps if self.does(each, {Effect.ROLL_BACK})])

    def does(self, identifier: str, effects: frozenset[Effect] | set[Effect]) -> bool:
        """Whether a step has one of these effects."""
        return not self.effects[identifier].isdisjoint(effects)

    def steps_that(self, effects: frozenset[Effect] | set[Effect]) -> Iterator[str]:
        """The steps that have one of these effects."""
        return (identifier for identifier in self.steps if self.does(identifier, effects))

    def is_told(self, identifier: str) -> bool:
        """Whether the customer is told on every way through this step: before it, by it or after it."""
        return Fact.NOTIFIED in self._around(identifier) or self.does(identifier, {Effect.NOTIFY})

    def is_told_where_to_appeal(self, identifier: str) -> bool:
        """As `is_told`, by notices that name where to appeal."""
        return Fact.TOLD_WHERE_TO_APPEAL in self._around(identifier) or identifier in self.appealing

    def _around(self, identifier: str) -> frozenset[Fact]:
        return self.certainty.before[identifier] | self.certainty.following[identifier]


def _without(fact: Fact, effects: frozenset[Effect]) -> Callable[[Reading], Iterator[Path]]:
    """Steps with these effects that can be reached on a way on which the fact is not certain."""

    def broken_at(reading: Reading) -> Iterator[Path]:
        for identifier in reading.steps_that(effects):
            if fact not in reading.certainty.before[identifier]:
                yield ("workflow", identifier)

    return broken_at


def _not_undone(effects: frozenset[Effect]) -> Callable[[Reading], Iterator[Path]]:
    def broken_at(reading: Reading) -> Iterator[Path]:
        exception = reading.flow.exception
        is_undone_on_errors = bool(exception) and (
            exception in reading.undone_later or reading.does(exception, {Effect.ROLL_BACK})
        )
        for identifier in reading.steps_that(effects):
            if identifier not in reading.undone_later and not is_undone_on_errors:
                yield ("workflow", identifier)

    return broken_at


def _untold(reading: Reading) -> Iterator[Path]:
    return (("workflow", each) for each in reading.steps_that(TAKING_AWAY) if not reading.is_told(each))


def _told_nothing_of_appeals(reading: Reading) -> Iterator[Path]:
    for identifier in reading.steps_that(TAKING_AWAY):
        if reading.is_told(identifier) and not reading.is_told_where_to_appeal(identifier):
            yield ("workflow", identifier)


def _secrets(reading: Reading) -> Iterator[Path]:
    variables: list[tuple[Path, Mapping[str, Any]]] = [
        (("playbook_variables",), reading.playbook.get("playbook_variables", {}))
    ]
    variables += [
        (("workflow", each, "step_variables"), step.get("step_variables", {})) for each, step in reading.steps.items()
    ]
    for path, defined in variables:
        for name, variable in defined.items():
            if _SECRET_NAME.search(name) and variable.get("value"):
                yield (*path, name, "value")
    for identifier, step in reading.steps.items():
        for position, command in enumerate(step.get("commands", ())):
            for where, text in texts_of(command, ("workflow", identifier, "commands", position)):
                if command["type"] != "manual" and _SECRET_GIVEN.search(text):
                    yield where


def _endless(reading: Reading) -> Iterator[Path]:
    if "valid_until" not in reading.playbook and any(reading.steps_that(RESTRICTING)):
        yield ()


def _steps_where(test: Callable[[Mapping[str, Any]], bool]) -> Callable[[Reading], Iterator[Path]]:
    def broken_at(reading: Reading) -> Iterator[Path]:
        return (("workflow", identifier) for identifier, step in reading.steps.items() if test(step))

    return broken_at


IRREVERSIBLE: Final = frozenset({Effect.IRREVERSIBLE})
LIMITING: Final = frozenset({Effect.LIMIT})
REFUSE, WARN = Severity.REFUSE, Severity.WARN

RULES: Final = (
    Rule(
        "irreversible-without-approval",
        REFUSE,
        "The step cannot be undone, and there is a way to it on which no person approved it.",
        _without(Fact.APPROVED, IRREVERSIBLE),
    ),
    Rule(
        "blocking-without-allow-list-check",
        REFUSE,
        "The step takes access away, and there is a way to it on which __allow_listed__ was not found false.",
        _without(Fact.NOT_ALLOW_LISTED, TAKING_AWAY),
    ),
    Rule(
        "blocking-on-disputed-alone",
        REFUSE,
        "The step takes access away, and there is a way to it on which neither __disputed__ was found false nor "
        "__evidence_families__ at least 2.",
        _without(Fact.NOT_DISPUTED_ALONE, TAKING_AWAY),
    ),
    Rule(
        "no-roll-back",
        REFUSE,
        "The step takes access away, and no step that can follow it, or an error, gives access back.",
        _not_undone(TAKING_AWAY),
    ),
    Rule(
        "no-notice",
        REFUSE,
        "The step takes access away, and there is a way through it on which the customer is never told.",
        _untold,
    ),
    Rule(
        "no-appeal-route",
        REFUSE,
        "The step takes access away, and there is a way through it on which no notice says where to appeal.",
        _told_nothing_of_appeals,
    ),
    Rule("secret-in-clear", REFUSE, "What looks like a secret stands here in clear.", _secrets),
    Rule(
        "limiting-without-allow-list-check",
        WARN,
        "The step slows a customer down, and there is a way to it on which __allow_listed__ was not found false.",
        _without(Fact.NOT_ALLOW_LISTED, LIMITING),
    ),
    Rule(
        "limit-never-lifted",
        WARN,
        "The step slows a customer down, and no step that can follow it, or an error, lifts the limit.",
        _not_undone(LIMITING),
    ),
    Rule(
        "not-staged",
        WARN,
        "The step takes access away, and there is a way to it on which nothing milder was tried.",
        _without(Fact.TRIED_MILDER, TAKING_AWAY),
    ),
    Rule("no-end-date", WARN, "The playbook restricts customers and has no valid_until.", _endless),
    Rule("runs-code", WARN, "The step has code to run: read it before you adopt it.", _steps_where(runs_code)),
    Rule(
        "effect-not-declared",
        WARN,
        "What the step does is not declared: give its commands a playbook_activity.",
        _steps_where(is_undeclared),
    ),
    Rule(
        "other-playbook",
        WARN,
        "The step runs another playbook, which is not looked at here.",
        _steps_where(lambda step: step["type"] == "playbook-action"),
    ),
)
"""The rules, in the order in which their findings are told."""


def check_safety(playbook: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Return the rules that a checked playbook breaks, those that refuse first; at most `MAX_FINDINGS`.

    Raises: ObjectInvalidError for a workflow whose steps wait for one another.
    """
    reading = Reading(playbook)
    found = [
        Finding(rule.code, rule.severity, pointer_to(path), rule.message)
        for rule in RULES
        for path in rule.broken_at(reading)
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is WARN)[:MAX_FINDINGS])


def refuse_unsafe(findings: tuple[Finding, ...]) -> None:
    """Refuse a playbook by the first finding that does.

    Raises: ObjectInvalidError with the rule's code and the pointer into the playbook.
    """
    for finding in findings:
        if finding.severity is REFUSE:
            raise ObjectInvalidError(f"unsafe-{finding.code}", finding.message, finding.pointer)


_SECRET_NAME: Final = re.compile(r"(?i)passw|secret|token|api_?key|credential|private_?key")
# `password=x`, `--token x`, `"api_key": "x"`, `curl -u name:x`; a reference to a variable is no secret.
_SECRET_GIVEN: Final = re.compile(
    r"""(?i)(?:\b(?:passw(?:or)?d|secret|token|api[-_]?key|credential)["']?(?:=|:[ ]?|[ ](?=["']?[^ ]*[0-9]))["']?
    (?!__|\$|["'{<(])[^\s"'&]{6,}|\s-u[ ]?[^\s:]+:(?!__|\$)[^\s]+)""",
    re.VERBOSE,
)
_APPEAL_WORD: Final = re.compile(r"(?i)(?<![a-z])appeal")
_ADDRESS: Final = re.compile(r"https://[^\s/]+")


def names_appeal(playbook: Mapping[str, Any], identifier: str) -> bool:
    """Whether a notice tells where to appeal: an address in it, the variable, or its agent's contact for appeals."""
    step = playbook["workflow"][identifier]
    texts = [text for command in step["commands"] for _path, text in texts_of(command)]
    text = "\n".join([*texts, *(text_of(command) for command in step["commands"])])
    if f"{APPEAL_ADDRESS}:value" in text:
        return True
    if _APPEAL_WORD.search(text) is None:
        return False
    parties = [playbook.get("agent_definitions", {}).get(step["agent"], {})]
    parties += [playbook.get("target_definitions", {}).get(target, {}) for target in step.get("targets", ())]
    return _ADDRESS.search(text) is not None or any(_has_appeal_contact(party) for party in parties)


def _has_appeal_contact(party: Mapping[str, Any]) -> bool:
    contact = party.get("contact", {})
    return any("appeal" in ways for ways in contact.values() if isinstance(ways, dict))


def _led_from(flow: Flow, targets: list[str]) -> frozenset[str]:
    """The places from which one of the targets can be reached, round a loop too."""
    before: dict[str, list[str]] = {place: [edge.source for edge in flow.incoming[place]] for place in flow.order}
    for end, loop in flow.loops:
        before[loop].append(end)
    stack = [source for target in targets for source in before[target]]
    found: set[str] = set()
    while stack:
        place = stack.pop()
        if place not in found:
            found.add(place)
            stack.extend(before[place])
    return frozenset(found)
