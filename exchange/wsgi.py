"""The web process. Importing it checks the environment and the database role, and stops with one line."""

import gc
import os

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")


def make_application() -> WSGIHandler:
    """Set Django up, check that it is safe to start, and answer the application.

    Raises:
        SystemExit: with one line that says what is wrong.
    """
    handler = get_wsgi_application()
    # Imported here because it needs Django to be set up.
    from exchange.startup import require_safe_start

    require_safe_start()
    # What is here now stays for the life of the process: no collection has to look at it again.
    gc.collect()
    gc.freeze()
    return handler


application = make_application()
