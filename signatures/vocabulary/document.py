"""The vocabulary as a page for people, written from the data alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from signatures.vocabulary.reading import Field, Vocabulary

_HEAD = """# The vocabulary of events

Version {version}. Written from `signatures/vocabulary/vocabulary.toml` by `python -m signatures.vocabulary`.

One event is one completed request (`llmx.event.category` is `llm_api`) or something that happened to an account
(`llm_account`). Sigma rules name these fields, sample logs have them as columns, conversions map them. Names without
`llmx.` are OpenTelemetry's, but for `timestamp`. P0 may be shared, P1 aggregated or hashed and under TLP:AMBER, P2 as
selectors alone or not at all. The last column is the path in an API Activity (class 6003) of OCSF {ocsf}.
No field holds a prompt or an answer.
"""


def document(vocabulary: Vocabulary) -> str:
    """Markdown: a table for each family of names."""
    families: dict[str, list[Field]] = {}
    for field in vocabulary.fields.values():
        families.setdefault(_family(field), []).append(field)
    head = _HEAD.format(version=vocabulary.version, ocsf=vocabulary.ocsf_version)
    return "\n".join([head, *("\n".join(_table(family, fields)) + "\n" for family, fields in families.items())])


def _family(field: Field) -> str:
    """The first two parts of a name of ours; `gen_ai`; else what all services have in common."""
    first, _, rest = field.name.partition(".")
    if first == "llmx":
        return f"llmx.{rest.partition('.')[0]}"
    return first if first == "gen_ai" else "Common"


def _table(family: str, fields: Sequence[Field]) -> Iterator[str]:
    yield f"## {family}"
    yield "| field | type | unit | privacy | meaning | OCSF |"
    yield "|---|---|---|---|---|---|"
    for field in fields:
        ocsf = f"`{field.ocsf}`" if field.ocsf else ""
        unit = f"`{field.unit}`" if field.unit else ""
        yield f"| `{field.name}` | {field.type} | {unit} | {field.privacy} | {field.description} | {ocsf} |"
