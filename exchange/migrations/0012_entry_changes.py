"""What changes or leaves the sequence is noted, so that pages can be kept and never shown when they are out of date."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0007_delivery_plural")]

    operations = [
        migrations.RunSQL(
            sql=(SQL / "entry_changes.sql").read_text(encoding="utf-8"),
            reverse_sql=(SQL / "entry_changes_reverse.sql").read_text(encoding="utf-8"),
        ),
    ]
