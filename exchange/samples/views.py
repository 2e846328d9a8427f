"""Who may read which sample, as a table made by hand: the measure that quickstart and tests hold the exchange to.

It asks nothing of the sharing service, on purpose.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

_FILE: Final = Path(__file__).with_name("views.yml")
_LABS: Final = ("aurora", "borealis", "cobalt")
_REASONS: Final = {
    "not-a-recipient": "its producer named other recipients",
    "persons-only": "it is TLP:RED, for named persons in a session with a second factor and never for a token",
    "same-exchange": "without recipients it is for members of its own exchange alone",
}


@dataclass(frozen=True, slots=True)
class View:
    """Whether a lab's token may read a sample. reason: why not, a phrase that follows "because"; "" if it may."""

    may_read: bool
    reason: str


@cache
def expected_views(*, apart: bool = False) -> dict[str, dict[str, View]]:
    """Return for each lab, by key such as "aurora/template-spread", what its token may read and why not.

    apart: Cobalt lives at an exchange of its own, which is a peer of the others' and of the same community.
    """
    table = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {
        lab: {key: _view(columns[position], apart) for key, columns in table.items()}
        for position, lab in enumerate(_LABS)
    }


def _view(word: bool | str, apart: bool) -> View:
    # YAML reads `yes` as true.
    if word is True or (word == "same-exchange" and not apart):
        return View(True, "")
    return View(False, _REASONS[str(word)])
