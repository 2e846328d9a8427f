"""What a step does to a customer, as far as one can tell from outside: by its declared activity and by its words.

A declared activity (`playbook_activity`) can make a step stronger and never weaker: what a machine would be sent is
looked at as well. Nothing here proves that a command is harmless; it finds what says of itself that it is not.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from signatures.cacao.commands import decode_text

HUMAN_AGENTS: Final = frozenset({"group", "individual", "organization"})

APPROVED: Final = "__approved__"
"""The variable that a person's decision is kept in, by the convention of docs/playbooks.md."""


class Effect(Enum):
    """What a step does. From `LIMIT` on it touches a customer; each is stronger than the one before."""

    PREPARE = "prepares"
    OBSERVE = "observes"
    NOTIFY = "tells the customer"
    ASK = "asks a person to approve"
    ROLL_BACK = "undoes"
    LIMIT = "slows down"
    BLOCK = "takes access away"
    IRREVERSIBLE = "cannot be undone"


RESTRICTING: Final = frozenset({Effect.LIMIT, Effect.BLOCK, Effect.IRREVERSIBLE})
TAKING_AWAY: Final = frozenset({Effect.BLOCK, Effect.IRREVERSIBLE})

# CACAO 2.0 vocabulary playbook-activity-type-ov; what is not here says nothing of customers.
_OF_ACTIVITY: Final[Mapping[str, Effect]] = {
    "scan-system": Effect.OBSERVE,
    "match-indicator": Effect.OBSERVE,
    "analyze-collected-data": Effect.OBSERVE,
    "identify-indicators": Effect.OBSERVE,
    "scan-vulnerabilities": Effect.OBSERVE,
    "compose-content": Effect.PREPARE,
    "identify-audience": Effect.PREPARE,
    "identify-channel": Effect.PREPARE,
    "deliver-content": Effect.NOTIFY,
    "configure-systems": Effect.LIMIT,
    "restrict-access": Effect.BLOCK,
    "disconnect-system": Effect.BLOCK,
    "eliminate-risk": Effect.IRREVERSIBLE,
    "revert-system": Effect.ROLL_BACK,
    "restore-data": Effect.ROLL_BACK,
    "restore-capabilities": Effect.ROLL_BACK,
}
_OBSERVING_COMMANDS: Final = frozenset({"sigma", "yara", "kestrel", "elastic"})
_CODE_COMMANDS: Final = frozenset({"bash", "powershell", "ssh", "caldera-cmd", "jupyter"})

# A revoked key, a closed account and deleted data do not come back; a suspended account does.
_IRREVERSIBLE_WORDS: Final = re.compile(
    r"(?i)(?<![a-z])(?:revok|terminat|delet|destroy|purg|wip(?:e|ing)|eras|permanent|close[-_ /]?(?:the[-_ ])?account"
    r"|rm +-|drop +(?:table|database)|truncate +table|mkfs|shred)"
)
_BLOCKING_WORDS: Final = re.compile(
    r"(?i)(?<![a-z])(?:block|ban(?:ned|ning)?(?![a-z])|suspend|disabl|deactivat|deny|denied|lock[-_ ]?out|quarantin"
    r"|disconnect|restrict)"
)
_LIMITING_WORDS: Final = re.compile(r"(?i)(?<![a-z])(?:rate[-_ ]?limit|throttl|slow[-_ ]?down|quota|degrad|delay)")
_LIFTING_WORDS: Final = re.compile(
    r"(?i)(?<![a-z])(?:un(?:block|ban|lock|suspend|throttle)|reinstat|restor|lift|re-?enabl|reactivat|roll[-_ ]?back)"
)
# The resource that a DELETE takes away is itself a restriction.
_RESTRICTION_AT_END: Final = re.compile(
    r"(?i)/(?:rate[-_]?limits?|throttles?|restrictions?|blocks?|bans?|suspensions?|quotas?)(?:/[^/ ]*)?(?:\?\S*)? HTTP/"
)
_UNDOABLE_WORDS: Final = re.compile(
    r"(?i)(?<![a-z])(?:rm +-|drop +(?:table|database)|truncate +table|mkfs|shred|wipe|purge)"
)
_APPROVAL_WORDS: Final = re.compile(r"(?i)(?<![a-z])(?:approv|authori[sz]|sign[- ]?off|decide whether)")


def effects_of(step: Mapping[str, Any]) -> frozenset[Effect]:
    """Return what a checked action step does; nothing for steps of other types."""
    if step["type"] != "action":
        return frozenset()
    found = {effect for command in step["commands"] if (effect := _effect_of(command)) is not None}
    if asks_for_approval(step):
        # To ask whether access shall be revoked does not revoke it.
        found = (found - RESTRICTING) | {Effect.ASK}
    return frozenset(found)


def asks_for_approval(step: Mapping[str, Any]) -> bool:
    """Whether a step asks a person, and nobody else, to approve what comes."""
    is_human = str(step["agent"]).partition("--")[0] in HUMAN_AGENTS
    if not is_human or any(command["type"] != "manual" for command in step["commands"]):
        return False
    if any(_OF_ACTIVITY.get(command.get("playbook_activity", "")) in RESTRICTING for command in step["commands"]):
        return False
    if APPROVED in {argument.removesuffix(":value") for argument in step.get("out_args", ())}:
        return True
    return any(_APPROVAL_WORDS.search(text_of(command)) for command in step["commands"])


def runs_code(step: Mapping[str, Any]) -> bool:
    """Whether a step has commands that a shell or the like would run."""
    return any(command["type"] in _CODE_COMMANDS for command in step.get("commands", ()))


def is_undeclared(step: Mapping[str, Any]) -> bool:
    """Whether a step sends a machine something of which neither activity nor words say what it does."""
    return any(
        command["type"] != "manual" and "playbook_activity" not in command and _effect_of(command) is None
        for command in step.get("commands", ())
    )


def text_of(command: Mapping[str, Any]) -> str:
    """What a command says, base64 decoded."""
    if "command_b64" in command:
        return decode_text(command["command_b64"], ())
    return str(command.get("command", ""))


def _effect_of(command: Mapping[str, Any]) -> Effect | None:
    declared = _OF_ACTIVITY.get(command.get("playbook_activity", ""))
    said = _said(command, declared)
    if declared is Effect.ROLL_BACK:
        return Effect.IRREVERSIBLE if _UNDOABLE_WORDS.search(text_of(command)) else declared
    if command["type"] == "manual" and declared not in (None, Effect.LIMIT, Effect.BLOCK):
        # What a person is told to write or to look at may speak of anything.
        return declared
    if declared is Effect.BLOCK and said is Effect.LIMIT:
        # The vocabulary has one activity for both.
        return Effect.LIMIT
    return max((each for each in (declared, said) if each is not None), key=_ORDER.index, default=None)


def _said(command: Mapping[str, Any], declared: Effect | None) -> Effect | None:
    """What the words of a command say."""
    kind, text = command["type"], text_of(command)
    if kind in _OBSERVING_COMMANDS:
        return Effect.OBSERVE
    if kind not in {"http-api", "openc2-http"}:
        return _of_words(text)
    if text.upper().startswith("DELETE "):
        return Effect.ROLL_BACK if _RESTRICTION_AT_END.search(text) else Effect.IRREVERSIBLE
    # A notice may speak of what is going to happen.
    content = "" if declared is Effect.NOTIFY else _content_of(command)
    return _of_words(f"{text}\n{content}")


def _of_words(text: str) -> Effect | None:
    if _IRREVERSIBLE_WORDS.search(text):
        return Effect.IRREVERSIBLE
    if _LIFTING_WORDS.search(text):
        return Effect.ROLL_BACK
    if _BLOCKING_WORDS.search(text):
        return Effect.BLOCK
    return Effect.LIMIT if _LIMITING_WORDS.search(text) else None


def _content_of(command: Mapping[str, Any]) -> str:
    if "content_b64" in command:
        return decode_text(command["content_b64"], ())
    return str(command.get("content", ""))


_ORDER: Final = tuple(Effect)
