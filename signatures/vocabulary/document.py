"""The vocabulary as a page for people, written from the data alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

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
    parts = [_HEAD.format(version=vocabulary.version, ocsf=vocabulary.ocsf_version)]
    for family, fields in groupby(vocabulary.fields.values(), key=_family):
        parts.append("\n".join(_table(family, fields)) + "\n")
    return "\n".join(parts)


def _family(field: Field) -> str:
    """The first two parts of a name of llmx or gen_ai, else the source's."""
    first, _, rest = field.name.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first in ("llmx", "gen_ai") else "Common"


def _table(family: str, fields: Iterator[Field]) -> Iterator[str]:
    yield f"## {family}"
    yield "| field | type | unit | privacy | meaning | OCSF |"
    yield "|---|---|---|---|---|---|"
    for field in fields:
        ocsf = f"`{field.ocsf}`" if field.ocsf else ""
        unit = f"`{field.unit}`" if field.unit else ""
        yield f"| `{field.name}` | {field.type} | {unit} | {field.privacy} | {field.description} | {ocsf} |"
