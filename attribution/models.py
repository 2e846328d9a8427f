"""Rows that lookups find: what objects say about networks and names, and networks that are not to be blocked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.indexes import GistIndex, OpClass
from django.db import models

if TYPE_CHECKING:
    TextField = models.Field[str, str]
else:
    TextField = models.Field


class CidrField(TextField):
    """PostgreSQL's `cidr`: a network whose host bits are zero. Rows are written and read by SQL of our own."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's interface
        return "cidr"


class NamedRange(models.Model):
    """One network of the newest version of an object; the rows go when that version is the newest no longer.

    Who may read it is decided by the version's entry: readers see this table through the views `range_in_sight`
    and `range_found` alone.
    kind: place in `attribution.kinds.KINDS`. seen_at: what the claim decays from.
    """

    version_id = models.BigIntegerField()
    object_id = models.BigIntegerField()
    net = CidrField()
    kind = models.SmallIntegerField()
    asn = models.BigIntegerField(null=True)
    confidence = models.SmallIntegerField(null=True)
    first_seen = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "attribution_range"
        indexes: ClassVar = [
            models.Index(fields=["net"], name="attribution_range_net"),
            models.Index(fields=["asn"], name="attribution_range_asn", condition=models.Q(asn__isnull=False)),
            models.Index(fields=["object_id"], name="attribution_range_object"),
        ]

    def __str__(self) -> str:
        return str(self.net)


class NamedName(models.Model):
    """One domain or autonomous system that the newest version of an object names. Readers: `name_found`."""

    version_id = models.BigIntegerField()
    object_id = models.BigIntegerField()
    kind = models.CharField(max_length=8, help_text="domain or asn")
    value = models.CharField(max_length=253, db_collation="C", help_text="IDNA in lower case, or decimal digits")
    confidence = models.SmallIntegerField(null=True)
    seen_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "attribution_name"
        indexes: ClassVar = [
            models.Index(fields=["value", "kind"], name="attribution_name_value"),
            models.Index(fields=["object_id"], name="attribution_name_object"),
        ]

    def __str__(self) -> str:
        return self.value


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
