"""The sample signatures D1 to D8: Sigma rules that ship with the project, and the STIX indicators that carry them."""

from signatures.samples.catalogue import SAMPLE_SIGNATURES, SampleSignature
from signatures.samples.indicators import indicator_members, relationship_members, sample_bundle_objects

__all__ = [
    "SAMPLE_SIGNATURES",
    "SampleSignature",
    "indicator_members",
    "relationship_members",
    "sample_bundle_objects",
]
