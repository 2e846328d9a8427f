"""Large envelopes wait in tables of their own until a worker has published them."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0009_facets"),
    ]

    operations = [
        migrations.CreateModel(
            name="StagedEnvelope",
            fields=[
                ("status_id", models.UUIDField(primary_key=True, serialize=False)),
                ("lab_id", models.IntegerField()),
                ("token_id", models.IntegerField(help_text="who posted; what it may do is asked anew for each batch")),
                ("collection_id", models.IntegerField()),
                ("staged_at", models.DateTimeField(help_text="when the last part arrived")),
                ("octets", models.BigIntegerField(default=0)),
                ("is_whole", models.BooleanField(default=False)),
                ("claimed_by", models.UUIDField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(help_text="when it is offered to the workers again", null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "db_table": "staged_envelope",
            },
        ),
        migrations.CreateModel(
            name="StatusPart",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("successes", models.JSONField(default=list)),
                ("failures", models.JSONField(default=list)),
                ("pendings", models.JSONField(default=list)),
                (
                    "status",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="exchange.publishingstatus",
                    ),
                ),
            ],
            options={
                "db_table": "status_part",
            },
        ),
        migrations.CreateModel(
            name="StagedBatch",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("rank", models.SmallIntegerField()),
                ("pendings", models.JSONField()),
                ("bodies", django.contrib.postgres.fields.ArrayField(base_field=models.BinaryField(), size=None)),
                (
                    "envelope",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="batches",
                        to="exchange.stagedenvelope",
                    ),
                ),
            ],
            options={
                "db_table": "staged_batch",
                "indexes": [models.Index(fields=["envelope", "rank", "id"], name="staged_in_order")],
            },
        ),
        migrations.RunSQL(
            (SQL / "staged_envelopes.sql").read_text(encoding="utf-8"),
            (SQL / "staged_envelopes_reverse.sql").read_text(encoding="utf-8"),
        ),
    ]
