"""Kinds of networks as the numbers that stand in rows. A number is never given to another kind."""

from __future__ import annotations

from typing import Final

from attribution.claims.decay import UNNAMED

KINDS: Final = (UNNAMED, "proxy", "hosting", "residential", "vpn", "aggregator", "egress", "other")
"""The kinds of the ranges extension, after the one for what is named without any."""

NUMBER_OF: Final = {kind: number for number, kind in enumerate(KINDS)}
