"""What objects say about networks, domains and autonomous systems, beside the newest version of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations, models

import attribution.models.networks

SQL = Path(__file__).parent / "sql"


def fill(_apps: Any, schema_editor: Any) -> None:
    """Take the rows of what is stored already; the same code does it at publishing."""
    from attribution.claims.refilling import refill_rows

    refill_rows(schema_editor.connection)


class Migration(migrations.Migration):
    initial = True
    dependencies = [("exchange", "0031_errands")]

    operations = [
        migrations.CreateModel(
            name="NamedName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version_id", models.BigIntegerField()),
                ("object_id", models.BigIntegerField()),
                ("kind", models.CharField(help_text="domain or asn", max_length=8)),
                (
                    "value",
                    models.CharField(
                        db_collation="C", help_text="IDNA in lower case, or decimal digits", max_length=253
                    ),
                ),
                ("confidence", models.SmallIntegerField(null=True)),
                ("seen_at", models.DateTimeField()),
                ("valid_until", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "attribution_name",
                "indexes": [
                    models.Index(fields=["value", "kind"], name="attribution_name_value"),
                    models.Index(fields=["object_id"], name="attribution_name_object"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NamedRange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version_id", models.BigIntegerField()),
                ("object_id", models.BigIntegerField()),
                ("net", attribution.models.networks.CidrField()),
                ("kind", models.SmallIntegerField()),
                ("asn", models.BigIntegerField(null=True)),
                ("confidence", models.SmallIntegerField(null=True)),
                ("first_seen", models.DateTimeField(null=True)),
                ("last_seen", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField()),
                ("valid_until", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "attribution_range",
                "indexes": [
                    models.Index(fields=["net"], name="attribution_range_net"),
                    models.Index(
                        condition=models.Q(("asn__isnull", False)), fields=["asn"], name="attribution_range_asn"
                    ),
                    models.Index(fields=["object_id"], name="attribution_range_object"),
                ],
            },
        ),
        migrations.RunSQL(
            (SQL / "ranges.sql").read_text(encoding="utf-8"),
            (SQL / "ranges_reverse.sql").read_text(encoding="utf-8"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
