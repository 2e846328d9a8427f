"""The Celery application: the worker and beat processes, and what runs when.

Every task is safe to repeat; a queue that loses its last second loses no intelligence.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, worker_init, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")

app = Celery("commonwatch")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["exchange.sync", "exchange.sync.webhooks", "exchange.sync.pulling", "exchange.sync.hinting"])
app.autodiscover_tasks(["attribution"])
# What waited longer than this for a worker is left to its next time.
EXPIRES_S = 3600
OFFER_EVERY_S = 60.0
# Whatever is stored wakes these at once (exchange/services/heralding.py); this is for what that has missed.
WAKE_WEBHOOKS_EVERY_S = 5.0
LOOK_FOR_NEWS_EVERY_S = 5.0
# Intervals of channels have at least five seconds.
WAKE_CHANNELS_EVERY_S = 2.0
# An epoch begins with the month, and a new node has its first one soon.
TEND_EPOCHS_EVERY_S = 60.0
# That a request is over acts at once; this writes it down.
EXPIRE_ONWARD_EVERY_S = 600.0
app.conf.beat_schedule = {
    name: {"task": f"housekeeping.{task}", "schedule": schedule, "options": {"expires": EXPIRES_S}}
    for name, task, schedule in (
        ("purge-expired", "purge_expired", crontab(minute="17")),
        ("expire-objects", "expire_objects", crontab(minute="27")),
        ("ensure-partitions", "ensure_partitions", crontab(minute="37")),
        ("check-exchange", "check_exchange", crontab(minute="7", hour="3")),
        ("offer-envelopes", "offer_envelopes", OFFER_EVERY_S),
        ("offer-quarantined", "offer_quarantined", OFFER_EVERY_S),
    )
}
for name, task, every_s in (
    ("wake-webhooks", "webhooks.wake", WAKE_WEBHOOKS_EVERY_S),
    ("wake-channels", "peers.wake", WAKE_CHANNELS_EVERY_S),
    ("look-for-news", "hints.look", LOOK_FOR_NEWS_EVERY_S),
    ("tend-epochs", "selectors.tend_epochs", TEND_EPOCHS_EVERY_S),
    ("expire-onward", "onward.expire", EXPIRE_ONWARD_EVERY_S),
):
    app.conf.beat_schedule[name] = {"task": task, "schedule": every_s, "options": {"expires": every_s}}


@worker_init.connect
@beat_init.connect
def check_before_start(**_signal: Any) -> None:
    """Refuse to start with missing values or a database role that row-level security does not bind."""
    from exchange.startup import require_safe_start

    require_safe_start()


@worker_process_init.connect
def herald_what_is_stored(**_signal: Any) -> None:
    """Have this process wake others when it stores something. Each has a thread of its own for that, if it does."""
    from exchange.services.heralding import HERALD

    HERALD.turn_on()
