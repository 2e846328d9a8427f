"""Oblivious pseudorandom functions of RFC 9497 in the suite ristretto255-SHA512, as pure functions over bytes.

Group elements and scalars are their 32 bytes (RFC 9497 section 4.1); what comes from outside is checked where it comes
in. Nothing here keeps a key, asks a network or knows what the inputs mean.
"""

from attribution.voprf.errors import ElementError, InputError, ProofError, VoprfError
from attribution.voprf.keys import IssuerKey, derive_key, generate_key
from attribution.voprf.proofs import prove, verify
from attribution.voprf.protocol import MAX_BATCH, Blinded, blind, evaluate, evaluate_directly, finalize

__all__ = [
    "MAX_BATCH",
    "Blinded",
    "ElementError",
    "InputError",
    "IssuerKey",
    "ProofError",
    "VoprfError",
    "blind",
    "derive_key",
    "evaluate",
    "evaluate_directly",
    "finalize",
    "generate_key",
    "prove",
    "verify",
]
