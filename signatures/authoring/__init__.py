"""From what a detection engineer writes to the indicator that carries it.

Pure: nothing is stored, signed or asked of anybody. The pattern goes into the indicator as it came, to the byte.
"""

from signatures.authoring.patterns import AuthoredPattern, read_sigma, read_stix
from signatures.authoring.writing import (
    Authorship,
    Statement,
    indicates,
    indicator,
    indicator_id,
    known_targets,
    unchanged,
)

__all__ = [
    "AuthoredPattern",
    "Authorship",
    "Statement",
    "indicates",
    "indicator",
    "indicator_id",
    "known_targets",
    "read_sigma",
    "read_stix",
    "unchanged",
]
