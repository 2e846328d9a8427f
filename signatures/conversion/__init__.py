"""Converts signatures to the languages of log stores. What a target cannot express is refused, never approximated.

Pure: no Django, no files, no network. `registry.py` lists the targets, `capabilities.py` says what each cannot express.
"""

from signatures.conversion.conversion import Conversion, convert_signature
from signatures.conversion.errors import ConversionError, Refusal, RefusedError, UnknownTargetError
from signatures.conversion.options import Options, Schema
from signatures.conversion.registry import TARGETS, Target, find_target
from signatures.intake import Signature

__all__ = [
    "TARGETS",
    "Conversion",
    "ConversionError",
    "Options",
    "Refusal",
    "RefusedError",
    "Schema",
    "Signature",
    "Target",
    "UnknownTargetError",
    "convert_signature",
    "find_target",
]
