"""Warnings that rooms above have for publishers; settings name them by dotted path, so services know none of them.

An adviser sees checked objects of one request together, so that it may ask the database once. It refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from exchange.services.publishing.item import Item

Adviser = Callable[[Sequence[Mapping[str, Any]]], Sequence[tuple[tuple[str, str, str], ...]]]


def advise(items: Sequence[Item]) -> None:
    """Add every adviser's warnings to those of each item, once: not inside what is retried."""
    if not items:
        return
    objects = [item.object.members for item in items]
    for adviser in _advisers():
        for item, warnings in zip(items, adviser(objects), strict=True):
            item.warnings += tuple(warnings)


@cache
def _advisers() -> tuple[Adviser, ...]:
    return tuple(import_string(path) for path in settings.PUBLISHING_ADVISERS)
