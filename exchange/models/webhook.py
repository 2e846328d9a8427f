"""Webhooks: where the node posts what a token may read, and how far it has come."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from exchange.models.lab import Lab
from exchange.models.token import Token


class Webhook(models.Model):
    """One target of a lab. It reads as its token does, and its rights are asked anew at each delivery.

    `watermark` is the number of the sequence up to which everything was delivered: there is no row for each object and
    hook. `pending_id` names the batch (watermark, pending_upto] that was sent and not yet accepted. `claim` is the
    worker's that delivers, until `claimed_until`.
    """

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        STOPPED = "stopped"

    id = models.AutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="webhooks")
    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=2000, help_text="may hold a secret of the receiver's: not for logs")
    description = models.CharField(max_length=200, blank=True)
    collection = models.CharField(max_length=100, help_text="alias or id, as its maker named it")
    types = ArrayField(models.CharField(max_length=250), default=list, blank=True)
    secret = models.BinaryField(help_text="sealed")
    previous_secret = models.BinaryField(null=True, blank=True, help_text="sealed; signs too until previous_until")
    previous_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    reason = models.CharField(max_length=40, blank=True, help_text="why it is not active")
    created_at = models.DateTimeField()

    watermark = models.BigIntegerField()
    pending_id = models.CharField(max_length=40, blank=True)
    pending_upto = models.BigIntegerField(null=True, blank=True)
    pending_since = models.DateTimeField(null=True, blank=True)
    claim = models.UUIDField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    failing_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=40, blank=True, help_text="a code; nothing of the answer")

    class Meta:
        db_table = "webhook"
        indexes: ClassVar = [
            models.Index(fields=["next_attempt_at"], name="webhook_due", condition=models.Q(state="active"))
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class AllowedHost(models.Model):
    """A host that an operator lets the node reach, wherever its name leads and by plain HTTP too."""

    id = models.AutoField(primary_key=True)
    host = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "allowed_host"
        ordering: ClassVar = ["host"]

    def __str__(self) -> str:
        return self.host
