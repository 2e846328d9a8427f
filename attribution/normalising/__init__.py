"""Identifiers of accounts in the one spelling that every lab gives them before it makes a selector.

docs/wire-format.md, "Selector". Pure: text in, text out. It does not know whether an identifier exists, and no refusal
repeats it: a value stays in the lab, also out of its logs.
"""

from attribution.normalising.errors import IdentifierError
from attribution.normalising.values import KINDS, MAX_VALUE_CHARS, normalise, selector_input

__all__ = ["KINDS", "MAX_VALUE_CHARS", "IdentifierError", "normalise", "selector_input"]
