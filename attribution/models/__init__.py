"""What attribution keeps beside the objects themselves."""

from attribution.models.claims import NamedName, NamedRange
from attribution.models.issuer import EvaluationBudget, IssuerEpoch
from attribution.models.networks import CidrField
from attribution.models.onward import OnwardRequest
from attribution.models.protection import AllowedNetwork

__all__ = ["AllowedNetwork", "CidrField", "EvaluationBudget", "IssuerEpoch", "NamedName", "NamedRange", "OnwardRequest"]
