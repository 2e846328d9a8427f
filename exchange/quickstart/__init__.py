"""Two whole exchanges in one folder, for trying them out: servers, labs, sample intelligence, what each lab sees of it,
and what crosses.

The orchestration behind `manage.py quickstart`. Nothing of it is needed to run an exchange in earnest.
"""

from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.options import Options
from exchange.quickstart.run import run_quickstart

__all__ = ["Options", "QuickstartError", "run_quickstart"]
