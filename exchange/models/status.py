"""Status resources of TAXII posts (TAXII 2.1 section 4.3)."""

from __future__ import annotations

import uuid

from django.db import models

from exchange.models.lab import Lab


class PublishingStatus(models.Model):
    """What became of one posted envelope. Kept at least 24 h after it is complete; seen by its lab alone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="statuses")
    requested_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True, db_index=True)
    total_count = models.PositiveIntegerField(default=0)
    successes = models.JSONField(default=list)
    failures = models.JSONField(default=list)
    pendings = models.JSONField(default=list)

    class Meta:
        db_table = "status"

    def __str__(self) -> str:
        return str(self.id)


class StatusPart(models.Model):
    """What a pending status says of one batch; its id is the batch's. Gone when the status holds the lists itself.

    The lists are of pairs: the place in the envelope, and the status details.
    """

    id = models.BigIntegerField(primary_key=True)
    status = models.ForeignKey(PublishingStatus, on_delete=models.CASCADE, related_name="parts")
    successes = models.JSONField(default=list)
    failures = models.JSONField(default=list)
    pendings = models.JSONField(default=list)

    class Meta:
        db_table = "status_part"

    def __str__(self) -> str:
        return f"part {self.id} of {self.status_id}"
