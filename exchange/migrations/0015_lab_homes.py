"""The homes that identities name, beside them, so that they decide what may cross to a peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


def fill(_apps: Any, schema_editor: Any) -> None:
    """Take the homes of the identities that are stored already; the same code does it at publishing."""
    from exchange.services.homes import refill_homes

    refill_homes(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("exchange", "0014_peers")]

    operations = [
        migrations.CreateModel(
            name="LabHome",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                ("node_thumbprint", models.CharField(db_index=True, max_length=43)),
                (
                    "exclusive",
                    models.BooleanField(help_text="it serves this lab alone: AMBER+STRICT may cross"),
                ),
                (
                    "lab",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="homes", to="exchange.lab"
                    ),
                ),
            ],
            options={
                "db_table": "lab_home",
                "constraints": [
                    models.UniqueConstraint(fields=("lab", "node_thumbprint"), name="a_home_is_named_once")
                ],
            },
        ),
        migrations.RunSQL(
            sql=(SQL / "lab_homes.sql").read_text(encoding="utf-8"),
            reverse_sql=(SQL / "lab_homes_reverse.sql").read_text(encoding="utf-8"),
        ),
        # The rows go with the table.
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
