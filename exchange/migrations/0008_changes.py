"""What changes is noted, so that pages and rights can be kept in memory and never used when they are out of date."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0007_delivery_plural")]

    operations = [
        migrations.RunSQL(
            sql=(SQL / "changes.sql").read_text(encoding="utf-8"),
            reverse_sql=(SQL / "changes_reverse.sql").read_text(encoding="utf-8"),
            state_operations=[migrations.AddIndex("Entry", models.Index(fields=["seq"], name="entry_all"))],
        ),
    ]
