"""The Django application attribution."""

from django.apps import AppConfig


class AttributionConfig(AppConfig):
    """Attribution: its models, services and doors come under this label."""

    name = "attribution"
    label = "attribution"
