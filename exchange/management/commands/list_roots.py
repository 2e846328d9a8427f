"""Lists the API roots with their collections."""

from __future__ import annotations

from typing import Any

from exchange.management.answering import AnsweringCommand, Facts
from exchange.models import ApiRoot


class Command(AnsweringCommand):
    help = "List the API roots and the collections in each."

    def act(self, **_options: Any) -> Facts:
        roots = ApiRoot.objects.prefetch_related("collections")
        return {root.slug: sorted(each.alias for each in root.collections.all()) for root in roots}
