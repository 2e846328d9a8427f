"""The issuer's work for selectors: evaluations with proofs, against the library's own multiplications on this core.

Batches are as large as those of the lab tool. What is measured is the arithmetic of the issuer, checks of the elements
included; budget, audit line and HTTP are not.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import rbcl

from attribution.voprf import blind, evaluate, generate_key, prove
from benchmarks.comparison import median
from benchmarks.report import Report, Row
from benchmarks.sizes import FULL, Sizes
from exchange.labtool.issuer import BATCH

GOAL_RATIO = 0.35


def main() -> None:
    """Run alone and print."""
    measure(Report("voprf"), FULL)


def measure(report: Report, sizes: Sizes) -> None:
    """Add the line about evaluations."""
    key, scalar = generate_key(), rbcl.crypto_core_ristretto255_scalar_random()
    elements = [blind(number.to_bytes(4, "big")).element for number in range(min(sizes.evaluations, BATCH))]
    batches = max(1, sizes.evaluations // len(elements))

    def multiply() -> None:
        for element in elements:
            rbcl.crypto_scalarmult_ristretto255(scalar, element)

    def answer() -> None:
        prove(key, elements, evaluate(key, elements))

    plain, ours = [], []
    for _round in range(sizes.rounds):
        plain.append(_per_second(multiply, batches, len(elements)))
        ours.append(_per_second(answer, batches, len(elements)))
    rate, plain_rate = median(ours), median(plain)
    held_against = f"{rate / plain_rate:.2f} of the library's multiplications ({plain_rate:,.0f}/s)"
    report.add(
        Row(
            f"VOPRF evaluations with proofs, {len(elements):,} in a batch, one core",
            f"{rate:,.0f}/s",
            f"{held_against}; goal: at least {GOAL_RATIO}",
        )
    )


def _per_second(work: Callable[[], None], times: int, count: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        work()
    return times * count / (time.process_time() - begun)


if __name__ == "__main__":
    main()
