"""What an attempt came to: the hook moves on, tries again later, is paused, or stops.

Each change holds only while the claim does. Reasons are codes; nothing of what a target answered is kept.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from exchange.models import Webhook
from exchange.services import counters
from exchange.services.clock import now
from exchange.services.pausing import growing_pause_s
from exchange.services.webhooks.claims import Claim

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 6 * 3600.0
GIVE_UP_AFTER: Final = timedelta(days=5)
"""Some 30 attempts. The hook keeps its place, so nothing is lost by pausing it."""

_SETTLED: Final[dict[str, Any]] = {"pending_id": "", "pending_upto": None, "pending_since": None}


def settle_success(claim: Claim, *, upto: int, was_sent: bool) -> None:
    """Move the hook's place to `upto`: its target accepted what came before, or nothing was for it."""
    changes: dict[str, Any] = {"watermark": upto, **_SETTLED}
    if was_sent:
        changes |= {"last_success_at": now(), "failures": 0, "failing_since": None}
        counters.WEBHOOKS.labels("delivered").inc()
    _update(claim, **changes)


def settle_failure(claim: Claim, *, code: str) -> None:
    """Have the same batch tried again, later each time; after `GIVE_UP_AFTER` of failures the hook is paused."""
    hook = Webhook.objects.filter(pk=claim.hook_id, claim=claim.claim).first()
    if hook is None:
        return
    moment = now()
    since = hook.failing_since or moment
    changes: dict[str, Any] = {
        "failures": hook.failures + 1,
        "failing_since": since,
        "last_failure_at": moment,
        "last_failure": code,
        "next_attempt_at": moment + timedelta(seconds=pause_s(hook.failures + 1)),
    }
    if moment - since >= GIVE_UP_AFTER:
        changes |= {"state": Webhook.State.PAUSED, "reason": code}
    counters.WEBHOOKS.labels("paused" if "state" in changes else "failed").inc()
    _update(claim, **changes)


def settle_stop(claim: Claim, *, code: str, for_good: bool) -> None:
    """End delivery: for good, or until its lab resumes it.

    The time of it is not kept: it may be that of something that is not for the hook.
    """
    state = Webhook.State.STOPPED if for_good else Webhook.State.PAUSED
    counters.WEBHOOKS.labels(str(state)).inc()
    _update(claim, state=state, reason=code)


def settle_refusal(claim: Claim) -> None:
    """The hook's token opened nothing: stop for good if its life is over; wait if it is its lab that is suspended."""
    hook = Webhook.objects.select_related("token").filter(pk=claim.hook_id).first()
    if hook is not None and not hook.token.is_valid_at(now()):
        settle_stop(claim, code="token", for_good=True)


def pause_s(failures: int) -> float:
    """Seconds until the attempt after so many failures in a row: doubled each time, and spread."""
    return growing_pause_s(failures, first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)


def _update(claim: Claim, **changes: Any) -> None:
    Webhook.objects.filter(pk=claim.hook_id, claim=claim.claim).update(**changes)
