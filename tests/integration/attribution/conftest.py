"""The REST door of a real web process."""

from tests.integration.api.conftest import node

__all__ = ["node"]
