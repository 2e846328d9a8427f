"""The capability table as Markdown, for docs/conversion.md."""

from collections.abc import Iterator

from signatures.conversion.capabilities import NOTES, NOTES_EVERYWHERE, NOWHERE, REFUSED, reason_against
from signatures.conversion.constructs import Construct
from signatures.conversion.registry import TARGETS, Target


def tables() -> str:
    """The targets, what each can express, why not, and what is to be known."""
    targets = [target for target in TARGETS.values() if target.name in REFUSED and target.is_available]
    parts = [_targets(targets), _matrix(targets), _nowhere(), _reasons(targets), _notes(targets)]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _targets(targets: list[Target]) -> Iterator[str]:
    yield "| target | store | language | windows of correlations | table, if nobody says | time |"
    yield "|---|---|---|---|---|---|"
    for target in targets:
        language = target.language.replace("|", "\\|")
        yield (
            f"| `{target.name}` | {target.title} | {language} | {target.windows} "
            f"| {target.table_is} `{target.table}` | `{target.timestamp}` |"
        )


def _matrix(targets: list[Target]) -> Iterator[str]:
    yield "| construct | " + " | ".join(target.name for target in targets) + " |"
    yield "|---" * (len(targets) + 1) + "|"
    for construct in Construct:
        if construct not in NOWHERE:
            cells = [_cell(target.name, construct) for target in targets]
            yield f"| {_plain(construct)} | {' | '.join(cells)} |"


def _cell(target: str, construct: Construct) -> str:
    if reason_against(target, construct) is not None:
        return "no"
    return "yes¹" if construct in NOTES.get(target, {}) else "yes"


def _nowhere() -> Iterator[str]:
    yield "| refused by all | why |"
    yield "|---|---|"
    for construct, reason in NOWHERE.items():
        yield f"| {_plain(construct)} | {_sentence(reason)} |"


def _reasons(targets: list[Target]) -> Iterator[str]:
    yield "| no | refused | why |"
    yield "|---|---|---|"
    for target in targets:
        for reason in dict.fromkeys(REFUSED[target.name].values()):
            refused = [_plain(construct) for construct, why in REFUSED[target.name].items() if why == reason]
            yield f"| {target.name} | {'; '.join(refused)} | {_sentence(reason)} |"


def _notes(targets: list[Target]) -> Iterator[str]:
    yield "| ¹ | with | to know |"
    yield "|---|---|---|"
    for construct, note in NOTES_EVERYWHERE.items():
        yield f"| all | {_plain(construct)} | {_plain(note)} |"
    for target in targets:
        notes = NOTES.get(target.name, {})
        for note in dict.fromkeys(notes.values()):
            constructs = [_plain(construct) for construct, text in notes.items() if text == note]
            yield f"| {target.name} | {'; '.join(constructs)} | {_plain(note)} |"


def _sentence(reason: str) -> str:
    return _plain(reason[0].upper() + reason[1:] + ".")


def _plain(text: str) -> str:
    return text.replace("|", "\\|")
