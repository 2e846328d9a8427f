"""Reads Sigma rules and correlations (Sigma specification 2.1.0) and says what is in them.

Pure: no Django, no files, no network. It checks that a rule means something; whether a member may publish it is
decided by the scope guard, and which fields a gateway knows is decided elsewhere.
"""

from signatures.sigma.features import Branch, FieldMatch
from signatures.sigma.fields import FieldMention
from signatures.sigma.inspection import RuleFeatures, SigmaInspection, inspect_rule, named_fields, read_rules
from signatures.sigma.parsing import ParsedDocument

__all__ = [
    "Branch",
    "FieldMatch",
    "FieldMention",
    "ParsedDocument",
    "RuleFeatures",
    "SigmaInspection",
    "inspect_rule",
    "named_fields",
    "read_rules",
]
