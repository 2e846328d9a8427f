"""The node's clock, in one place so that every service rounds alike."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Aware UTC, microseconds."""
    return datetime.now(UTC)
