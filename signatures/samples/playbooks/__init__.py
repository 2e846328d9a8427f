"""Sample playbooks for the three strategies of the agreement: rate limits, query monitoring, access revocation.

Templates to read and to adopt, as files of CACAO 2.0 with fixed ids. They never run here.
"""

from importlib.resources import files
from typing import Final

NAMES: Final = ("rate_limits", "query_monitoring", "access_revocation")


def playbook_bytes(name: str) -> bytes:
    """Return a sample playbook as it stands in its file. Raises: KeyError for a name that is not in `NAMES`."""
    if name not in NAMES:
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.json").read_bytes()
