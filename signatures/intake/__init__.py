"""What a lab gives to `convert` and `backtest`: from files and folders to signatures with what is known of each.

Reads files; knows no Django, no network, and nothing of queries or logs.
"""

from signatures.intake.files import Fault, Given, IntakeError, SigmaText, StixObject, read_given
from signatures.intake.indicators import Signature, signatures_of
from signatures.intake.standing import CURRENT, DISPUTED, EXPIRED, REVOKED, WITHDRAWN, out_of_use

__all__ = [
    "CURRENT",
    "DISPUTED",
    "EXPIRED",
    "REVOKED",
    "WITHDRAWN",
    "Fault",
    "Given",
    "IntakeError",
    "SigmaText",
    "Signature",
    "StixObject",
    "out_of_use",
    "read_given",
    "signatures_of",
]
