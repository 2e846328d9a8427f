"""How many values a lab may have evaluated in a day, counted exactly: also by many requests at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Count, Sum

from attribution.issuing.errors import BudgetSpentError
from attribution.models import EvaluationBudget

MIN_LABS: Final = 3
"""A published count needs so many contributing labs (docs/sharing.md): with fewer, they would know of one another."""

_TAKE: Final = """
INSERT INTO evaluation_budget AS budget (lab_id, day, used) VALUES (%(lab)s, %(day)s, %(count)s)
ON CONFLICT (day, lab_id) DO UPDATE SET used = budget.used + excluded.used
    WHERE budget.used + excluded.used <= %(most)s
RETURNING used
"""


def take_evaluations(lab_id: int, count: int, moment: datetime) -> int:
    """Count evaluations of a lab, all of them or none, in the caller's transaction; answers how many are left today.

    Raises:
        BudgetSpentError: fewer are left; it says when the day (UTC) is over.
    """
    most, day = settings.EVALUATION_BUDGET, moment.date()
    if count <= most:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, {"lab": lab_id, "day": day, "count": count, "most": most})
            row = cursor.fetchone()
        if row is not None:
            return int(most - row[0])
    used = EvaluationBudget.objects.filter(lab_id=lab_id, day=day).values_list("used", flat=True).first() or 0
    renewal = datetime.combine(day + timedelta(days=1), datetime.min.time(), moment.tzinfo)
    raise BudgetSpentError(
        f"{max(0, most - used)} evaluations of {most} are left to your lab today, and {count} are asked for;"
        f" the next day begins at {renewal:%Y-%m-%dT%H:%M:%SZ}",
        retry_after_s=max(1, int((renewal - moment).total_seconds()) + 1),
    )


def count_days(today: date, days: int) -> list[tuple[date, int | None]]:
    """Evaluations of each of the last finished days, the newest first; None where fewer than `MIN_LABS` labs asked.

    Today is not among them: a running sum tells of each request as it grows.
    """
    found = (
        EvaluationBudget.objects.filter(day__gte=today - timedelta(days=days), day__lt=today)
        .values("day")
        .annotate(labs=Count("lab_id"), total=Sum("used"))
        .order_by("-day")
    )
    return [(row["day"], row["total"] if row["labs"] >= MIN_LABS else None) for row in found]
