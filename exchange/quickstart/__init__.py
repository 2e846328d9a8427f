"""A whole exchange in one folder, for trying it out: servers, labs, sample intelligence, and what each lab sees of it.

The orchestration behind `manage.py quickstart`. Nothing of it is needed to run an exchange in earnest.
"""

from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.options import Options
from exchange.quickstart.run import run_quickstart

__all__ = ["Options", "QuickstartError", "run_quickstart"]
