"""What attribution keeps beside the objects themselves."""

from attribution.models.issuer import EvaluationBudget, IssuerEpoch

__all__ = ["EvaluationBudget", "IssuerEpoch"]
