"""Celery tasks of attribution. Safe to repeat; arguments carry no secrets."""

from __future__ import annotations

import logging

from celery import shared_task

from attribution.issuing.epochs import tend_epochs
from attribution.onward import expire_requests
from exchange.services.errors import NotReadyError
from exchange.services.principals import NODE

logger = logging.getLogger(__name__)


@shared_task(name="selectors.tend_epochs")
def tend_issuer_epochs() -> None:
    """Begin this month's epoch, end those whose time is over."""
    try:
        begun, ended = tend_epochs(actor=NODE)
    except NotReadyError as error:
        logger.warning("no epochs of selectors: %s", error.detail)
        return
    if begun or ended:
        logger.info("selector epochs begun=%s ended=%s", begun or "-", ",".join(ended) or "-")


@shared_task(name="onward.expire")
def expire_onward_requests() -> None:
    """End requests for onward sharing that nobody settled in time."""
    if ended := expire_requests():
        logger.info("requests for onward sharing expired=%s", ended)
