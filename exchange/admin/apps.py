"""Puts the operators' pages behind a second factor."""

from django.contrib.admin.apps import AdminConfig


class OperatorsAdminConfig(AdminConfig):
    """Django's admin application with the site of site.py and the pages of this room."""

    default_site = "exchange.admin.site.OperatorsSite"

    def ready(self) -> None:
        super().ready()
        # Imported here because pages need the models to be loaded.
        from exchange.admin.registration import register_pages

        register_pages()
