"""medallion as gunicorn serves it. Runs in medallion's own environment (medallion.txt), not in ours.

Its configuration is the file that MEDALLION_CONFIG names.
"""

from __future__ import annotations

import os

from medallion import load_app

application = load_app(os.environ["MEDALLION_CONFIG"])
