"""The one error of quickstart."""


class QuickstartError(Exception):
    """Quickstart cannot go on. One line that a person can act on, without secrets."""
