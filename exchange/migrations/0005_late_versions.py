"""Older versions that arrive late are marked, so that `added_after` finds them without a walk over all versions."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0004_identity_approval")]

    operations = [
        migrations.RunSQL(
            sql=(SQL / "late_versions.sql").read_text(encoding="utf-8"),
            reverse_sql=(SQL / "late_versions_reverse.sql").read_text(encoding="utf-8"),
            state_operations=[
                migrations.AddField(
                    "Entry", "is_late", models.BooleanField(default=False, help_text="came after a newer version")
                ),
                migrations.AddIndex(
                    "Entry",
                    models.Index(
                        fields=["collection_id", "seq"], name="entry_late", condition=models.Q(("is_late", True))
                    ),
                ),
            ],
        ),
    ]
