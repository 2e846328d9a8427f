"""The sharing rule in the database: row-level security over interned audiences."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("exchange", "0002_partitioned_tables")]

    operations = [
        migrations.RunSQL(
            (SQL / "row_security.sql").read_text(encoding="utf-8"),
            (SQL / "row_security_reverse.sql").read_text(encoding="utf-8"),
        ),
    ]
