"""Results as JSON values. The names of the first level and of each signature are part of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exchange.stix.timestamps import format_taxii
from signatures.backtest.results import Judgement, Outcome, Results


def to_json(results: Results) -> dict[str, Any]:
    """Everything that was found."""
    return {
        "rows": results.rows,
        "seconds": round(results.seconds, 3),
        "first": _time(results.first),
        "last": _time(results.last),
        "label": results.label or None,
        "remarks": list(results.remarks),
        "signatures": [_signature(results, outcome) for outcome in results.outcomes],
    }


def _signature(results: Results, outcome: Outcome) -> dict[str, Any]:
    signature, judged = outcome.signature, outcome.judgement
    return {
        "id": signature.id,
        "name": signature.name,
        "hits": outcome.hits,
        "entities": [
            {
                "fields": dict(entity.fields),
                "hits": entity.hits,
                "events": entity.events,
                "first": _time(entity.first),
                "last": _time(entity.last),
            }
            for entity in outcome.entities
        ],
        "precision": judged.precision if judged else None,
        "recall": judged.recall if judged else None,
        "state": signature.state,
        "carried": [{"name": name, "text": text} for name, text in signature.carried],
        "level": signature.level or None,
        "origin": signature.origin,
        "tested": outcome.is_tested,
        "reason": signature.reason or None,
        "remarks": list(signature.remarks),
        "events": outcome.events,
        "entity_count": outcome.entity_count,
        "account_count": outcome.account_count,
        "alerts_per_day": round(results.per_day(outcome), 3),
        "days": {day.isoformat(): hits for day, hits in outcome.days.items()},
        "windows": [
            {
                "fields": dict(window.fields),
                "start": _time(window.start),
                "end": _time(window.end),
                "events": window.events,
                "events_labelled": window.events_labelled,
                "accounts": list(window.accounts),
                "account_count": window.account_count,
            }
            for window in outcome.windows
        ],
        "labels": _judgement(judged) if judged else None,
    }


def _judgement(judged: Judgement) -> Mapping[str, Any]:
    return {
        "hits_true": judged.hits_true,
        "events_true": judged.events_true,
        "event_precision": judged.event_precision,
        "event_recall": judged.event_recall,
        "campaigns": [
            {
                "name": campaign.name,
                "events": campaign.events,
                "events_found": campaign.events_found,
                "accounts": campaign.accounts,
                "accounts_found": campaign.accounts_found,
                "recall": campaign.recall,
            }
            for campaign in judged.campaigns
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_taxii(moment)
