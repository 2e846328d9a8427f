"""Root pins, signing keys and the use of keys that the exchange holds."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from exchange.models.lab import Lab
from exchange.models.person import Person
from exchange.models.token import Token


class Pin(models.Model):
    """A root thumbprint that an operator compared over another channel. Trust starts here (wire-format, Keys)."""

    id = models.AutoField(primary_key=True)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="pins")
    thumbprint = models.CharField(max_length=43)
    pinned_at = models.DateTimeField()

    class Meta:
        db_table = "pin"
        constraints: ClassVar = [models.UniqueConstraint(fields=["thumbprint"], name="a_root_is_pinned_once")]

    def __str__(self) -> str:
        return self.thumbprint


class SigningKey(models.Model):
    """A key of a lab's identity chain. Rows are never removed, and their state only grows.

    `revoked_at` and `compromised_since` are sticky; `sealed` holds the private part of an exchange-held key,
    encrypted under SEALING_KEYS, and is empty for every other key.
    """

    class Use(models.TextChoices):
        ROOT = "root"
        SIG = "sig"

    class Custody(models.TextChoices):
        LAB = "lab"
        EXCHANGE = "exchange"

    id = models.AutoField(primary_key=True)
    kid = models.CharField(max_length=43, unique=True, help_text="RFC 7638 thumbprint")
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="keys")
    use = models.CharField(max_length=4, choices=Use)
    x = models.CharField(max_length=43, help_text="base64url of the Ed25519 public key")
    custody = models.CharField(max_length=8, choices=Custody, default=Custody.LAB)
    sealed = models.BinaryField(null=True, blank=True)
    nbf = models.BigIntegerField(help_text="Unix seconds")
    exp = models.BigIntegerField(null=True, blank=True, help_text="Unix seconds")
    revoked_at = models.BigIntegerField(null=True, blank=True, help_text="Unix seconds")
    compromised_since = models.BigIntegerField(null=True, blank=True, help_text="Unix seconds")
    first_seen_at = models.DateTimeField()

    class Meta:
        db_table = "signing_key"

    def __str__(self) -> str:
        return self.kid


class IdentityApproval(models.Model):
    """One operator's word for an identity version outside its chain. It takes two operators' (wire-format, Keys)."""

    id = models.AutoField(primary_key=True)
    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="identity_approvals")
    payload_sha256 = models.CharField(max_length=64)
    operator = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="identity_approvals")
    approved_at = models.DateTimeField()

    class Meta:
        db_table = "identity_approval"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lab", "payload_sha256", "operator"], name="one_word_per_operator")
        ]

    def __str__(self) -> str:
        return f"{self.lab_id} {self.payload_sha256}"


class KeyUse(models.Model):
    """How often a token had an exchange-held key sign on one day: the count behind its daily quota."""

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="key_uses")
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "key_use"
        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "day"], name="one_count_per_day")]

    def __str__(self) -> str:
        return f"{self.token_id} {self.day}"
