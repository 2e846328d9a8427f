"""Bounds of a Sigma text, each with its source. Real rule packs stay far below all of them."""

from typing import Final

# The largest rule of the public SigmaHQ corpus has about 60 kB (a list of vulnerable driver hashes).
MAX_TEXT_BYTES: Final = 256 * 1024

# One campaign per file: a rule, its correlations, their filters.
MAX_DOCUMENTS: Final = 64

# Nodes of the YAML tree after aliases are expanded; 256 kB of honest list items stay below.
MAX_NODES: Final = 50_000
MAX_YAML_DEPTH: Final = 24

# Conditions are parsed by recursive descent, so their length and their parentheses are bounded before.
MAX_CONDITION_CHARS: Final = 4_096
MAX_CONDITION_NESTING: Final = 12
MAX_CONDITION_NEGATIONS: Final = 32
MAX_CONDITIONS: Final = 16

# Every word of a condition may stand for every value of the rule: `s or s or s` with a long list in `s`.
MAX_CONDITION_VALUES: Final = 200_000

# `1 of a*b*` becomes a regular expression; two stars are all that anybody writes.
MAX_SELECTOR_STARS: Final = 2

# `windash` and `base64offset` multiply a value by its dashes and offsets.
MAX_VALUE_CHARS: Final = 8_192
MAX_EXPANDED_DASHES: Final = 4
MAX_MODIFIERS: Final = 8

# Alternatives of a condition by the fields that each rests on; beyond this nobody can review the rule.
MAX_BRANCHES: Final = 512

# Sigma specification 2.1.0, field `description`.
MAX_DESCRIPTION_CHARS: Final = 65_535
