"""Older versions that arrive late are marked, so that `added_after` finds them without a walk over all versions."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"
IS_FOLLOWED = models.Q(("is_newest", True), ("is_late", True), _connector="OR")
INDEXES = {
    "entry_newest": ["collection_id", "seq"],
    "entry_newest_type": ["collection_id", "type", "seq"],
    "entry_newest_all": ["seq"],
}


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
                *(migrations.RemoveIndex("Entry", name) for name in INDEXES),
                *(
                    migrations.AddIndex("Entry", models.Index(fields=fields, name=name, condition=IS_FOLLOWED))
                    for name, fields in INDEXES.items()
                ),
            ],
        ),
    ]
