"""Events on their way: one array for each thing that is known of them before columns are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from signatures.samplelogs.draws import Flags, Integers, Words

EVENTS: Final = ("", "account_created", "key_created", "account_blocked", "account_unblocked", "key_revoked")
"""Names of events by number; 0 is a request."""
REQUEST: Final = 0
CREATED: Final = EVENTS.index("account_created")
KEY_CREATED: Final = EVENTS.index("key_created")
BLOCKED: Final = EVENTS.index("account_blocked")
UNBLOCKED: Final = EVENTS.index("account_unblocked")
KEY_REVOKED: Final = EVENTS.index("key_revoked")


@dataclass(frozen=True, slots=True)
class Rows:
    """at: milliseconds. template: number in the book, -1 for none. word: a hash for what is drawn of this row alone.

    is_loose: no template stands behind the prompt. is_shut_out: the account is blocked, so the request is refused.
    """

    account: Integers
    at: Integers
    template: Integers
    word: Words
    model: Integers
    event: Integers
    is_loose: Flags
    is_shut_out: Flags

    def __len__(self) -> int:
        return len(self.at)

    def take(self, which: npt.NDArray[np.intp] | Flags | slice) -> Rows:
        """Some of the rows, in this order."""
        return Rows(*(getattr(self, field.name)[which] for field in fields(self)))


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows, one part after the other."""
    return Rows(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows)))
