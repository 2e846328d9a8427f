"""Bounds of a CACAO playbook, each with its source."""

from typing import Final

# Published playbooks with layout coordinates have up to 100 kB; depth is bounded by the JSON reader.
MAX_PLAYBOOK_BYTES: Final = 1024 * 1024

# A person has to read a playbook before adopting it.
MAX_STEPS: Final = 500
MAX_COMMANDS_PER_STEP: Final = 50
MAX_DEFINITIONS: Final = 200

# CACAO 2.0 section 10.18: the name pattern of variables allows 200 characters after the first.
MAX_CONDITION_CHARS: Final = 4_096
MAX_CONDITION_NESTING: Final = 16

# Each is recomputed over the whole playbook; the field's own examples have one or two.
MAX_SIGNATURES: Final = 16
MAX_COUNTERSIGNATURES: Final = 3
