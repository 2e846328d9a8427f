"""The slugs that problems have as their `type`: stable words, and what each says. slugs.json is grouped by status.

Refusals of the bytes of an object (`errors[].code`) have more: each names the rule that the object breaks.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Final

SLUGS: Final[dict[str, dict[str, str]]] = json.loads(files("exchange.api").joinpath("slugs.json").read_text("utf-8"))
