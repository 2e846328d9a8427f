"""The queries that no engine here can run, for people to read: `python -m tests.support.conversion_golden`.

The command writes tests/vectors/conversion/golden/ anew; nothing else does, so that a change is read before it is kept.
"""

from collections.abc import Mapping
from typing import Final

from signatures.conversion import TARGETS, RefusedError, Signature, Target, convert_signature
from tests.support.conversion_cases import VECTORS, correlation_text, read_cases, rule_text

GOLDEN: Final = VECTORS / "golden"
NOT_RUN_HERE: Final = ("splunk", "esql", "eql", "lucene", "opensearch", "loki", "kusto")


def golden_texts() -> Mapping[str, str]:
    """What a Sigma text of the golden files shows, and the text."""
    conditions = {name: rule_text(case) for name, case in read_cases("golden_conditions.yml").items()}
    return conditions | {name: correlation_text(case) for name, case in read_cases("correlations.yml").items()}


def golden_page(target: Target) -> str:
    """All queries of a target, or why there is none."""
    parts = []
    for name, text in golden_texts().items():
        try:
            conversions = convert_signature(Signature(text), target, target.options(None, None))
            answer = next(each.query for each in conversions if each.header.title == "T")
        except RefusedError as error:
            answer = "\n".join(f"REFUSED {refusal.construct}: {refusal.reason}" for refusal in error.refusals)
        parts.append(f"### {name}\n{answer}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name in NOT_RUN_HERE:
        (GOLDEN / f"{name}.txt").write_text(golden_page(TARGETS[name]), encoding="utf-8")
