"""The delivery log: which answer went to whom."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Delivery(models.Model):
    """One row per answer, committed before its first byte; it expands to objects when asked (partitioned by id)."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    lab_id = models.IntegerField(null=True, blank=True, help_text="empty for anonymous readers")
    person_id = models.IntegerField(null=True, blank=True)
    token_id = models.IntegerField(null=True, blank=True)
    door = models.CharField(max_length=24)
    collection_ids = ArrayField(models.IntegerField())
    seq_from = models.BigIntegerField()
    seq_to = models.BigIntegerField()
    filter = models.JSONField(default=dict)
    audience_ids = ArrayField(models.IntegerField())

    class Meta:
        db_table = "delivery"
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [models.Index(fields=["seq_to", "seq_from"], name="delivery_range")]

    def __str__(self) -> str:
        return f"{self.lab_id} {self.seq_from}-{self.seq_to}"
