"""medallion as gunicorn serves it. Runs in medallion's own environment (medallion.txt), not in ours.

Its configuration is the file that MEDALLION_CONFIG names. With MEDALLION_KEPT it writes what it holds to that file when
it is stopped: its memory backend reads a file and never writes one.
"""

from __future__ import annotations

import atexit
import os

from medallion import load_app

application = load_app(os.environ["MEDALLION_CONFIG"])

if kept := os.environ.get("MEDALLION_KEPT"):
    atexit.register(application.medallion_backend.save_data_to_file, kept)
