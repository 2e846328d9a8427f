"""Answers kept for repeated requests."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from exchange.models.lab import Lab


class IdempotentRequest(models.Model):
    """The answer to a request with an Idempotency-Key, kept for 24 h. Another body under the key is a conflict."""

    id = models.BigAutoField(primary_key=True)
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="idempotent_requests")
    key = models.CharField(max_length=200)
    request_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.BinaryField(null=True, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "idempotency"
        constraints: ClassVar = [models.UniqueConstraint(fields=["lab", "key"], name="idempotency_key_per_lab")]

    def __str__(self) -> str:
        return self.key
