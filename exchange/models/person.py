"""People who sign in: members of a lab, and operators of the node."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from exchange.models.lab import Lab


class PersonManager(BaseUserManager["Person"]):
    """Creates persons with a hashed password; knows no e-mail address, because the exchange keeps none."""

    def create_user(self, username: str, password: str | None, **fields: object) -> Person:
        person = self.model(username=username, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, username: str, password: str | None, **fields: object) -> Person:
        return self.create_user(
            username, password, is_staff=True, is_superuser=True, role=Person.Role.OPERATOR, **fields
        )

    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(username=username)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with a handle, a role and an identity that stays on this node; never a name or an address."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        ANALYST = "analyst"
        ADMIN = "admin"
        COUNSEL = "counsel"
        OPERATOR = "operator"

    id = models.AutoField(primary_key=True)
    username = models.CharField(max_length=64, unique=True)
    lab = models.ForeignKey(Lab, null=True, blank=True, on_delete=models.PROTECT, related_name="persons")
    role = models.CharField(max_length=12, choices=Role, default=Role.VIEWER)
    identity_id = models.CharField(max_length=64, unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="may sign in to the operators' pages")

    objects = PersonManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar = ["identity_id"]

    class Meta:
        db_table = "person"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(role="operator") | models.Q(lab__isnull=False),
                name="only_operators_have_no_lab",
            ),
        ]

    def __str__(self) -> str:
        return self.username
