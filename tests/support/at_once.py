"""Works that begin together, each in a thread and a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

Work = Callable[[], object]


def at_once(*works: Work) -> None:
    """Do all of them; what one raises is raised."""
    ready = threading.Barrier(len(works))

    def run(work: Work) -> None:
        try:
            ready.wait()
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for each in [pool.submit(run, work) for work in works]:
            each.result()
