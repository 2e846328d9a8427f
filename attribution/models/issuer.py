"""The issuer of selectors: its key of each epoch, and how much each lab had evaluated on each day.

No row holds a value, a blinded one among them, and no row is about one object: nothing here has an audience.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class IssuerEpoch(models.Model):
    """One month's key. `sealed` is the private key (services/sealing.py), destroyed when the epoch ends."""

    class State(models.TextChoices):
        CURRENT = "current"
        ACCEPTED = "accepted"
        ENDED = "ended"

    id = models.BigAutoField(primary_key=True)
    epoch = models.CharField(max_length=7, unique=True, help_text="YYYY-MM; later epochs have later names")
    public_key = models.BinaryField(max_length=32)
    sealed = models.BinaryField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices)
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="set when the next epoch begins")

    class Meta:
        db_table = "issuer_epoch"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["state"], condition=models.Q(state="current"), name="one_current_epoch")
        ]

    def __str__(self) -> str:
        return f"{self.epoch} {self.state}"


class EvaluationBudget(models.Model):
    """How many values a lab had evaluated on a day (UTC)."""

    id = models.BigAutoField(primary_key=True)
    lab_id = models.IntegerField()
    day = models.DateField()
    used = models.PositiveIntegerField()

    class Meta:
        db_table = "evaluation_budget"
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "lab_id"], name="one_budget_per_lab_and_day")]

    def __str__(self) -> str:
        return f"lab {self.lab_id} {self.day}: {self.used}"
