"""What one pull may take from a node: a node that sends something new for ever must not fill the disk.

It counts. What has come stays, and the next pull goes on behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# The largest exchange we know of has some hundred thousand objects; a first pull of more takes several runs.
MAX_RUN_OBJECTS: Final = 1_000_000
MAX_RUN_BYTES: Final = 8 * 1024 * 1024 * 1024
# Enough for the objects of a full run in pages of ten.
MAX_RUN_ANSWERS: Final = 100_000


class BudgetSpentError(Exception):
    """The pull has taken what it may. The message says of what."""


@dataclass(slots=True)
class Budget:
    """How much a run may still take, in objects, bytes of objects, and answers of the node."""

    objects: int = MAX_RUN_OBJECTS
    size_bytes: int = MAX_RUN_BYTES
    answers: int = MAX_RUN_ANSWERS

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left for another answer."""
        return min(self.objects, self.size_bytes, self.answers) <= 0

    def spend(self, objects: Sequence[bytes]) -> None:
        """Count one answer."""
        self.objects -= len(objects)
        self.size_bytes -= sum(map(len, objects))
        self.answers -= 1

    def check(self) -> None:
        """End the run if nothing is left. Raises: BudgetSpentError."""
        for left, what in ((self.objects, "objects"), (self.size_bytes, "bytes"), (self.answers, "answers")):
            if left <= 0:
                raise BudgetSpentError(f"one pull takes no more {what} than this; pull again to go on from here")
