"""What versions can be found by: words, tags and times beside each, for search and filters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


def fill(_apps: Any, schema_editor: Any) -> None:
    """Take the facets of what is stored already; the same code does it at publishing."""
    from exchange.services.facets import refill_facets

    refill_facets(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("exchange", "0008_changes")]

    operations = [
        migrations.CreateModel(
            name="Facet",
            fields=[
                ("version_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("object_id", models.BigIntegerField()),
                ("audience_id", models.IntegerField()),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), help_text="one, but for fixed objects", size=None
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), help_text="kind:value", size=None
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
                (
                    "modified",
                    models.CharField(
                        db_collation="C", help_text="the version's instant as sortable text", max_length=64
                    ),
                ),
                ("valid_from", models.CharField(blank=True, db_collation="C", max_length=64)),
                ("valid_until", models.CharField(blank=True, db_collation="C", max_length=64)),
            ],
            options={
                "db_table": "facet",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["places", "tags", "words"], name="facet_found"),
                    models.Index(fields=["modified"], name="facet_modified"),
                ],
            },
        ),
        migrations.RunSQL(
            (SQL / "facets.sql").read_text(encoding="utf-8"),
            (SQL / "facets_reverse.sql").read_text(encoding="utf-8"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
