"""Acts ask for a fresh sign-in: whoever finds an open session may look, and change nothing."""

from __future__ import annotations

import time
from typing import Final

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

FRESH_FOR_S: Final = 600
_SIGNED_IN_AT: Final = "signed_in_at"


def note_sign_in(request: HttpRequest) -> None:
    """Password and one-time code were right just now."""
    request.session[_SIGNED_IN_AT] = int(time.time())


def is_fresh(request: HttpRequest) -> bool:
    """Whether both factors were given in the last `FRESH_FOR_S` seconds."""
    signed_in_at: int = request.session.get(_SIGNED_IN_AT, 0)
    return 0 <= time.time() - signed_in_at <= FRESH_FOR_S


def ask_again(request: HttpRequest) -> HttpResponse:
    """End the session and lead to the sign-in page and back; nothing is done of what was asked."""
    logout(request)
    messages.warning(request, "Nothing was changed: sign in again, then repeat it.")
    return redirect_to_login(request.get_full_path())
