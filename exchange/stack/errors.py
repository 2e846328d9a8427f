"""The one error of the embedded stack."""


class StackError(Exception):
    """A part of the stack cannot be used. The message is one line that a person can act on, without secrets."""
