"""Publishing: one service for all doors. Parse, scope guard, marking, signature, store; per object all or nothing."""

from exchange.services.publishing.drafting import check_drafts
from exchange.services.publishing.outcome import Outcome, OutcomeStatus
from exchange.services.publishing.publish import publish_objects

__all__ = ["Outcome", "OutcomeStatus", "check_drafts", "publish_objects"]
