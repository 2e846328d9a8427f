"""Puts the operators' pages behind a second factor."""

from django.contrib.admin.apps import AdminConfig


class OperatorsAdminConfig(AdminConfig):
    """Django's admin application with the site of site.py."""

    default_site = "exchange.admin.site.OperatorsSite"
