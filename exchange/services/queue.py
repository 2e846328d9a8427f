"""Asks workers for work, by the name of a task. What is lost on the way is found by beat's next round."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Final

from celery import Celery

FINISH_ENVELOPE: Final = "publishing.finish_envelope"
WAKE_CHANNELS: Final = "peers.wake"
WAKE_WEBHOOKS: Final = "webhooks.wake"
LOOK_FOR_NEWS: Final = "hints.look"

TIMEOUT_S: Final = 2
"""A request waits no longer than this for a broker that is away: what it asks for is not lost without it."""

_log: Final = logging.getLogger(__name__)


def send_task(name: str, *arguments: str) -> bool:
    """Put a task into the queue; tells whether the broker took it. Call it after the commit of what it is about.

    Arguments are ids: the broker holds no intelligence and no secret.
    """
    try:
        _sender().send_task(name, args=list(arguments), retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 - each transport raises its own errors, and they name addresses
        _log.warning("the broker took no task %s: %s", name, type(error).__name__)
        return False
    return True


@lru_cache(maxsize=1)
def _sender() -> Celery:
    """An application that only sends: the worker's own names every room, and services know none."""
    sender = Celery("commonwatch-sender", set_as_current=False)
    sender.config_from_object("django.conf:settings", namespace="CELERY")
    sender.conf.broker_connection_timeout = TIMEOUT_S
    sender.conf.broker_transport_options = {
        **(sender.conf.broker_transport_options or {}),
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0,
        "interval_max": 0,
        "socket_connect_timeout": TIMEOUT_S,
        "socket_timeout": TIMEOUT_S,
    }
    return sender
