"""Tokens: what automated readers and publishers show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models

from exchange.models.lab import Lab
from exchange.models.person import Person

if TYPE_CHECKING:
    from datetime import datetime


class Token(models.Model):
    """A bearer secret of a lab. Only its SHA-256 is kept: the secret has 256 random bits, so no salt is needed.

    `bounds` narrows what the token may do: {"collections": [alias], "highest_label": "TLP:AMBER",
    "networks": [CIDR], "daily_quota": n}. All keys are optional; `sign` needs every one of them.
    """

    class Scope(models.TextChoices):
        READ = "read"
        PUBLISH = "publish"
        SIGN = "sign"
        FEEDBACK = "feedback"

    id = models.AutoField(primary_key=True)
    prefix = models.CharField(max_length=16, unique=True, help_text="public part: names the token in lists and logs")
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of the whole token")
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="tokens")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="tokens")
    issued_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="issued", help_text="empty: an operator"
    )
    scopes = ArrayField(models.CharField(max_length=12, choices=Scope))
    client = models.BooleanField(default=False, help_text="belongs to a downstream client of the lab")
    bounds = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "token"

    def __str__(self) -> str:
        return self.prefix

    def is_valid_at(self, when: datetime) -> bool:
        """Neither expired nor revoked at `when` (aware)."""
        return self.expires_at > when and (self.revoked_at is None or self.revoked_at > when)
