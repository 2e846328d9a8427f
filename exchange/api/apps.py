"""Makes the door's templates and static files known to Django."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The REST door; it has no models."""

    name = "exchange.api"
    label = "exchange_api"
