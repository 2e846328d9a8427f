"""The web process. Importing it checks the environment and the database role, and stops with one line."""

from __future__ import annotations

import ctypes
import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")

StartResponse = Callable[..., Any]

MALLOC_SETTINGS = {
    -1: 64 * 1024 * 1024,  # M_TRIM_THRESHOLD
    -2: 4 * 1024 * 1024,  # M_TOP_PAD
    -3: 32 * 1024 * 1024,  # M_MMAP_THRESHOLD
}
"""Of mallopt(3), in bytes: what is freed below these sizes stays with the process."""


class Application:
    """Django's handler, with whole answers given as the list that they are.

    Django answers with an object that the server reads piece by piece, with a switch of threads for each; a list it
    sends at once.
    """

    def __init__(self, handler: WSGIHandler) -> None:
        self._handler = handler

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        response = self._handler(environ, start_response)
        # A streaming answer has no content.
        content: bytes | None = getattr(response, "content", None)
        if content is None:
            return response
        response.close()
        return [content]


def keep_freed_memory() -> None:
    """Tell glibc to keep the memory of a page for the next one; other C libraries go their own way.

    A page is some megabytes in a few pieces. Given back to the system each time, every one of them costs a fault for
    each 4 kB when it is written: a third of a web process's time where nothing is cached.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for parameter, size in MALLOC_SETTINGS.items():
        mallopt(parameter, size)


def make_application() -> Application:
    """Set Django up, check that it is safe to start, and answer the application.

    Raises:
        SystemExit: with one line that says what is wrong.
    """
    handler = get_wsgi_application()
    # Imported here because they need Django to be set up.
    from exchange.http.stopping import watch_signals
    from exchange.services.heralding import HERALD
    from exchange.services.query import AHEAD
    from exchange.startup import require_safe_start

    require_safe_start()
    keep_freed_memory()
    # What is here now stays for the life of the process: no collection has to look at it again.
    gc.collect()
    gc.freeze()
    watch_signals()
    AHEAD.turn_on()
    HERALD.turn_on()
    return Application(handler)


application = make_application()
