"""The Django application that holds the exchange's tables and commands."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """The exchange itself; the bodies of intelligence are applications of their own."""

    name = "exchange"
    verbose_name = "Exchange"
    default_auto_field = "django.db.models.BigAutoField"
