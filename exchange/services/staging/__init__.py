"""Large envelopes: kept as they arrive, published batch by batch by workers, each batch once.

Knows no body and no queue of its own; what publishing checks is publishing's.
"""

from exchange.services.staging.claims import offer_due_envelopes
from exchange.services.staging.finish import Progress, finish_envelope
from exchange.services.staging.stage import purge_abandoned, stage_envelope

__all__ = ["Progress", "finish_envelope", "offer_due_envelopes", "purge_abandoned", "stage_envelope"]
