"""How well the sample signatures find the campaigns of sample logs, on seeds that nobody has looked at before.

`python -m benchmarks.detection` makes a log for each seed, runs `commonwatch backtest` over it, and writes the table of
docs/sample-logs.md. It measures detection and no speed, so it is no part of `make bench`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.report import with_measured
from signatures.samplelogs.evaluation import Evaluation, evaluate, hits_of

PAGE: Final = Path(__file__).parents[1] / "docs" / "sample-logs.md"
RULES: Final = Path(__file__).parents[1] / "signatures" / "samples" / "sigma"
ROWS: Final = 4_200_000
"""Enough for campaigns of their natural size."""

SEEDS: Final = (201, 202, 203)


@dataclass(slots=True)
class Tally:
    """One signature over all seeds."""

    name: str
    hits: int = 0
    true_hits: int = 0
    judged: int = 0
    recall: dict[str, list[float]] = field(default_factory=dict)
    false: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    options = parser.parse_args()
    names = signature_names()
    evaluations = [measure(seed, options.rows, list(names)) for seed in options.seeds]
    text = page(names, evaluations, options.seeds)
    print(text)
    PAGE.write_text(with_measured(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")


def signature_names() -> dict[str, str]:
    """Ids of the outermost rules by the behaviour that each is for, D1 to D8."""
    found = {}
    for path in sorted(RULES.glob("*.yml")):
        ids = [line.split()[1] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("id: ")]
        found[ids[-1]] = path.stem.split("_")[1].upper()
    return found


def measure(seed: int, rows: int, signatures: Sequence[str]) -> Evaluation:
    """One log and one backtest, by the lab tool as a lab runs it."""
    with tempfile.TemporaryDirectory(prefix="commonwatch-detection-") as folder:
        log = Path(folder) / "log.parquet"
        _run("sample-logs", "--rows", str(rows), "--seed", str(seed), "--out", str(log))
        answer = _run("backtest", "--signatures", str(RULES), "--logs", str(log), "--json")
        return evaluate(hits_of(json.loads(answer)), log, signatures)


def page(names: dict[str, str], evaluations: Sequence[Evaluation], seeds: Sequence[int]) -> str:
    """The measured part of the page."""
    tallies = {signature: Tally(name) for signature, name in names.items()}
    for each in evaluations:
        for signature, result in each.signatures.items():
            tally = tallies[signature]
            tally.hits += result.hits
            tally.true_hits += result.true_hits
            tally.judged += result.hits - result.empty
            tally.false.update(result.false)
            for campaign, share in result.recall.items():
                tally.recall.setdefault(campaign, []).append(share)
    missed = Counter(campaign for each in evaluations for campaign in each.missed)
    lines = [
        f"Seeds {', '.join(map(str, seeds))}, {evaluations[0].rows:,} events each: `python -m benchmarks.detection`.",
        "Recall is the part of a campaign's accounts that its own rule found, the median over the seeds; hits and",
        "false hits are those of all seeds together.",
        "",
        "| | hits | precision | recall of its own campaigns | false hits, by look-alike |",
        "|---|---|---|---|---|",
        *(_line(tally) for tally in sorted(tallies.values(), key=lambda each: each.name)),
        "",
        "Missed by every rule, with the number of seeds: "
        + (", ".join(f"{name} ({count})" for name, count in sorted(missed.items())) or "none")
        + ".",
    ]
    return "\n".join(lines)


def _line(tally: Tally) -> str:
    precision = f"{tally.true_hits / tally.judged:.2f}" if tally.judged else "no hit"
    own = {name: shares for name, shares in tally.recall.items() if name.startswith(tally.name.lower() + "-")}
    recall = ", ".join(f"{name.partition('-')[2]} {median(shares):.2f}" for name, shares in sorted(own.items()))
    false = ", ".join(f"{name} {count}" for name, count in tally.false.most_common()) or "none"
    return f"| {tally.name} | {tally.hits} | {precision} | {recall or 'none'} | {false} |"


def _run(*arguments: str) -> str:
    command = [sys.executable, "-c", "from exchange.labtool.main import run; run()", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
