"""Why a text cannot be normalised."""

from __future__ import annotations


class IdentifierError(ValueError):
    """The text is no identifier of its kind. The message says what is wrong and carries nothing of the text."""
