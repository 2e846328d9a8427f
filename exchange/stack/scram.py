"""Makes PostgreSQL's SCRAM-SHA-256 verifiers (RFC 5803), so that no password is ever part of an SQL statement."""

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096  # PostgreSQL's own default, scram_iterations
SALT_BYTES = 16


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """Return the verifier for an ASCII ``password``, in the form in which PostgreSQL stores it."""
    salt = os.urandom(SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    parts = [salt, hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256")]
    encoded = [base64.b64encode(part).decode() for part in parts]
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"
