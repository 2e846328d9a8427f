"""Networks that operators protect from being blocked."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GistIndex, OpClass
from django.db import models

from attribution.models.networks import CidrField


class AllowedNetwork(models.Model):
    """A network on which a match is marked *do not block*, until `expires_at`; it is on no lab's word.

    Everybody may know of it: it stands in answers. Only operators change it (attribution/protection/allowing.py).
    """

    class Reason(models.TextChoices):
        """Why blocking it would hit the innocent."""

        LAB_EGRESS = "lab-egress"
        CLOUD_FRONT_DOOR = "cloud-front-door"
        UNIVERSITY_EVALUATION = "university-evaluation"
        OTHER = "other"

    id = models.AutoField(primary_key=True)
    net = CidrField(unique=True)
    title = models.CharField(max_length=200, help_text="whose it is, as answers show it")
    reason = models.CharField(max_length=32, choices=Reason.choices)
    source = models.CharField(max_length=500, help_text="where that can be looked up: a link or a document")
    expires_at = models.DateTimeField(help_text="from then on it counts no longer")
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=120)

    class Meta:
        db_table = "allowed_network"
        ordering: ClassVar = ["net"]
        indexes: ClassVar = [GistIndex(OpClass("net", name="inet_ops"), name="allowed_network_net")]

    def __str__(self) -> str:
        return str(self.net)
