"""The audit log: who did what to members, keys, grants and objects."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class AuditEvent(models.Model):
    """One act. Append-only for the web and worker role (partitioned by id); never holds content or secrets."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=120, help_text="token:<prefix>, person:<handle>, operator, or node")
    lab_id = models.IntegerField(null=True, blank=True)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=300, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        db_table = "audit"
        indexes: ClassVar = [models.Index(fields=["action", "at"], name="audit_action")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
