"""Sessions in the database, as Django keeps them, with keys of Django's own form alone.

A cookie may hold anything, and text with NUL would fail in PostgreSQL instead of finding nothing.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.contrib.sessions.backends import db

_KEY: Final = re.compile("[a-z0-9]{8,40}")
"""Django's keys are 32 lowercase letters and digits; the column has room for 40."""


class SessionStore(db.SessionStore):
    """What SESSION_ENGINE names."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key if session_key and _KEY.fullmatch(session_key) else None)

    @classmethod
    def get_model_class(cls) -> Any:
        """The table of the parent class, so that housekeeping sees the same sessions."""
        return db.SessionStore.get_model_class()
