"""Celery tasks: each a name, a call of a service and a line in the log. Arguments carry no secrets.

Every task may run twice and may be killed at any moment: what it does is repeated at its next time.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import asdict

from celery import shared_task

from exchange.services.checking import check_exchange
from exchange.services.deletion import expire_objects
from exchange.services.queue import FINISH_ENVELOPE
from exchange.services.receiving import offer_waiting
from exchange.services.retention import ensure_partitions, purge_expired
from exchange.services.staging import finish_envelope, offer_due_envelopes

logger = logging.getLogger(__name__)

MAX_LOGGED_FAULTS = 100
"""A broken disk can give a fault for every object; check_exchange on the command line names them all."""


@shared_task(name="housekeeping.purge_expired")
def purge_expired_rows() -> None:
    """Remove answers, statuses, sessions, broken-off envelopes and decided quarantine whose time is over."""
    purged = purge_expired()
    logger.info("purged %s", " ".join(f"{name}={count}" for name, count in asdict(purged).items()))


@shared_task(name="housekeeping.expire_objects")
def expire_old_objects() -> None:
    """Remove objects that are older than their collection keeps."""
    logger.info("expired objects=%d", expire_objects())


@shared_task(name="housekeeping.ensure_partitions")
def add_partitions() -> None:
    """Keep spare partitions ahead of the growing tables."""
    logger.info("partitions made=%d", ensure_partitions())


@shared_task(name="housekeeping.check_exchange")
def check_everything() -> None:
    """Verify everything stored; a fault is an error in the log."""
    report = check_exchange()
    for fault in report.faults[:MAX_LOGGED_FAULTS]:
        logger.error("check fault kind=%s where=%s: %s", fault.kind, fault.where, fault.detail)
    level = logging.ERROR if report.faults else logging.INFO
    counts = " ".join(f"{name}={count}" for name, count in report.checked.items())
    logger.log(level, "check %s faults=%d %s", "red" if report.faults else "green", len(report.faults), counts)


@shared_task(name=FINISH_ENVELOPE)
def finish_posted_envelope(status_id: str) -> None:
    """Publish a large envelope, or one turn of it."""
    logger.info("envelope %s: %s", status_id, finish_envelope(status_id=uuid.UUID(status_id)))


@shared_task(name="housekeeping.offer_quarantined")
def offer_quarantined() -> None:
    """Judge again what peers sent before its lab, or its key, was known here."""
    logger.info("quarantined objects taken=%d", offer_waiting())


@shared_task(name="housekeeping.offer_envelopes")
def offer_envelopes() -> None:
    """Ask again for envelopes that the queue lost or a worker left in the middle."""
    logger.info("envelopes offered again=%d", offer_due_envelopes())
