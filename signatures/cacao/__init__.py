"""Reads CACAO 2.0 security playbooks (CS01), says what is in them, and checks, signs and draws them.

Pure: no Django, no files, no network. It never executes a playbook.
"""

from signatures.cacao.inspection import PlaybookInspection, inspect_playbook
from signatures.cacao.safety import Finding, Severity, check_safety, refuse_unsafe
from signatures.cacao.signing import (
    SignatureReport,
    Standing,
    countersign_playbook,
    sign_playbook,
    verify_signatures,
)

__all__ = [
    "Finding",
    "PlaybookInspection",
    "Severity",
    "SignatureReport",
    "Standing",
    "check_safety",
    "countersign_playbook",
    "inspect_playbook",
    "refuse_unsafe",
    "sign_playbook",
    "verify_signatures",
]
