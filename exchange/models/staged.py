"""Posted envelopes that wait for a worker. What is in them is not verified yet: only writers see these tables."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class StagedEnvelope(models.Model):
    """One envelope on its way: from the first part of its body until its last object was published or refused.

    Nothing of it counts before `is_whole`. Whoever works on it has claimed it until `claimed_until`, and nobody else
    changes its batches; `tries` counts claims since the last batch that was finished.
    """

    status_id = models.UUIDField(primary_key=True)
    lab_id = models.IntegerField()
    token_id = models.IntegerField(help_text="who posted; what it may do is asked anew for each batch")
    collection_id = models.IntegerField()
    staged_at = models.DateTimeField(help_text="when the last part arrived")
    octets = models.BigIntegerField(default=0)
    is_whole = models.BooleanField(default=False)
    claimed_by = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, help_text="when it is offered to the workers again")
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "staged_envelope"

    def __str__(self) -> str:
        return str(self.status_id)


class StagedBatch(models.Model):
    """Some objects of an envelope, as received, which are published in one transaction and then are not here any more.

    `rank` orders the work: identities, markings, then what needs them. `pendings` names the objects as the status does:
    pairs of the place in the envelope and the details.
    """

    id = models.BigAutoField(primary_key=True)
    envelope = models.ForeignKey(StagedEnvelope, on_delete=models.CASCADE, related_name="batches", db_index=False)
    rank = models.SmallIntegerField()
    pendings = models.JSONField()
    bodies = ArrayField(models.BinaryField())

    class Meta:
        db_table = "staged_batch"
        indexes: ClassVar = [models.Index(fields=["envelope", "rank", "id"], name="staged_in_order")]

    def __str__(self) -> str:
        return f"batch {self.id} of {self.envelope_id}"
