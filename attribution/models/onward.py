"""Requests that a producer share an object onward: with one more lab, or with the asking lab's own clients.

A row says who asked whom for what, and what came of it. It opens nothing: what its producer publishes does.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models

from exchange.models import Lab

MAX_REASON_CHARS: Final = 500
"""A reason is a sentence or two for the person who decides."""

OPEN_FOR: Final = timedelta(days=30)
"""As long as an old epoch of selectors and twice as long as a dispute: a lab that wanted to answer has done so."""


class OnwardRequest(models.Model):
    """One request. Its parties alone see it: the lab that asked and the lab that produced the object.

    for_lab: the lab that is to see the object; None for the asking lab's own clients. version_text: what was the newest
    version when it was asked. decision: what the producer said; `granted` is the state only once a version is stored
    whose audience has the asking lab and whom it asked for, and granting_version names that version.
    """

    class State(models.TextChoices):
        ASKED = "asked"
        GRANTED = "granted"
        REFUSED = "refused"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    class Decision(models.TextChoices):
        GRANT = "grant"
        REFUSE = "refuse"

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    object_id = models.BigIntegerField()
    stix_id = models.CharField(max_length=300)
    version_text = models.CharField(max_length=64)
    producer = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="onward_received", db_index=False)
    asker = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="onward_asked", db_index=False)
    for_lab = models.ForeignKey(
        Lab, null=True, blank=True, on_delete=models.PROTECT, related_name="onward_for", db_index=False
    )
    reason = models.CharField(max_length=MAX_REASON_CHARS)
    state = models.CharField(max_length=12, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=8, choices=Decision, blank=True)
    decision_reason = models.CharField(max_length=MAX_REASON_CHARS, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=120, blank=True, help_text="as in the audit log; for its own lab")
    granting_version = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "onward_request"
        indexes: ClassVar = [
            models.Index(fields=["asker", "asked_at"], name="onward_asker"),
            models.Index(fields=["producer", "asked_at"], name="onward_producer"),
            models.Index(fields=["object_id"], name="onward_open", condition=models.Q(state="asked")),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.state}"

    @property
    def expires_at(self) -> datetime:
        return self.asked_at + OPEN_FOR

    def state_at(self, moment: datetime) -> str:
        """Its end acts at once, before the task has come by."""
        is_over = self.state == self.State.ASKED and self.expires_at <= moment
        return str(self.State.EXPIRED if is_over else self.state)
