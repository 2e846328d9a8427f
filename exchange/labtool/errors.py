"""What can go wrong for a lab at its own command line, each with the exit code that scripts rely on.

A message is one line, safe to print and to log: no secrets, and hostile text only through `shown`.
Errors of the bytes themselves are `exchange.stix.errors.StixError`.
"""

from typing import ClassVar


class LabToolError(Exception):
    """Base of what the lab tool says in one line instead of a traceback."""

    exit_code: ClassVar[int] = 1


class DataError(LabToolError):
    """Something is wrong with the data: an object, a key file, a pins file, a folder."""

    exit_code = 1


class UsageError(LabToolError):
    """The command was called with something missing or contradictory."""

    exit_code = 2


class UnreachableError(LabToolError):
    """The node could not be reached, or what answered is no such node."""

    exit_code = 3


class RefusedError(LabToolError):
    """The node answered and refused the whole request. `status` is the HTTP status."""

    exit_code = 3

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
