"""The web process. Importing it checks the environment and the database role, and stops with one line."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")

StartResponse = Callable[..., Any]


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


def make_application() -> Application:
    """Set Django up, check that it is safe to start, and answer the application.

    Raises:
        SystemExit: with one line that says what is wrong.
    """
    handler = get_wsgi_application()
    # Imported here because they need Django to be set up.
    from exchange.http.stopping import watch_signals
    from exchange.startup import require_safe_start

    require_safe_start()
    # What is here now stays for the life of the process: no collection has to look at it again.
    gc.collect()
    gc.freeze()
    watch_signals()
    return Application(handler)


application = make_application()
