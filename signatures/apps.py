"""The Django application signatures."""

from django.apps import AppConfig


class SignaturesConfig(AppConfig):
    """Signatures: its models, services and doors come under this label."""

    name = "signatures"
    label = "signatures"
