"""Interned audiences: every distinct set of readers has one row and one small number."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Audience(models.Model):
    """A set of readers. Entries and versions carry its id, so that a page is filtered by integers.

    `every_lab` and `every_client` stand for whoever is a member when the question is asked, which is why
    membership acts at the next request. `owner` is the lab whose own persons may read a RED object.
    Labs and persons stand here by identity id, so a lab that joins later finds what names it already.
    The rule over these columns is services/sharing.py, and row-level security repeats it by id.
    """

    id = models.AutoField(primary_key=True)
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the other columns")
    label = models.SmallIntegerField(help_text="0 CLEAR to 4 RED")
    anonymous = models.BooleanField()
    every_lab = models.BooleanField()
    every_client = models.BooleanField()
    labs = ArrayField(models.CharField(max_length=64), default=list, help_text="identity ids")
    clients = ArrayField(models.CharField(max_length=64), default=list, help_text="labs whose clients read it")
    persons = ArrayField(models.CharField(max_length=64), default=list, help_text="identity ids of persons")
    owner = models.CharField(max_length=64, blank=True, help_text="identity id of a lab")

    class Meta:
        db_table = "audience"

    def __str__(self) -> str:
        return str(self.id)
