"""The type of PostgreSQL that networks are kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    TextField = models.Field[str, str]
else:
    TextField = models.Field


class CidrField(TextField):
    """PostgreSQL's `cidr`: a network whose host bits are zero. Rows are written and read by SQL of our own."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's interface
        return "cidr"
