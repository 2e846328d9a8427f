"""Reads CACAO 2.0 security playbooks (CS01) and says what is in them.

Pure: no Django, no files, no network. It never executes a playbook.
"""

from signatures.cacao.inspection import PlaybookInspection, inspect_playbook

__all__ = ["PlaybookInspection", "inspect_playbook"]
