"""Indexes by number alone serve views alone.

A page of one collection could be read along them too, past the entries of every other collection: the planner takes
collections for mixed evenly, and a poll found its ten new objects behind all that others had received since.
"""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0012_communities")]

    operations: ClassVar = [
        migrations.RemoveIndex("Entry", "entry_newest_all"),
        migrations.RemoveIndex("Entry", "entry_all"),
        migrations.AddIndex(
            "Entry",
            models.Index(
                fields=["seq"],
                name="entry_newest_all",
                condition=models.Q(("is_newest", True), ("is_shared", False)),
            ),
        ),
        migrations.AddIndex(
            "Entry", models.Index(fields=["seq"], name="entry_all", condition=models.Q(("is_shared", False)))
        ),
    ]
