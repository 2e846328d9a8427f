"""Makes logs of a gateway that never was, to try detection rules on: honest customers, and planted campaigns.

Nothing here knows a rule. Actors are modelled: accounts, how they pay, which networks they come through, which
templates they send in which rhythm; how operators buy accounts, hand out work, and go on after a block. What a gateway
would compute from events is computed from the events of the log (windows.py, failovers.py, clusters.py): the aggregates
`llmx.window.*`, the time to the first peak, the time to a failover, clusters. docs/sample-logs.md says how.
"""

from signatures.samplelogs.actors import CAMPAIGNS, LOOKALIKES
from signatures.samplelogs.columns import LABELS
from signatures.samplelogs.errors import CannotWriteError, SampleLogError, WrongLogError, WrongOptionError
from signatures.samplelogs.generating import SampleReport, write_sample_log
from signatures.samplelogs.planning import DEFAULT_START, SampleOptions

__all__ = [
    "CAMPAIGNS",
    "DEFAULT_START",
    "LABELS",
    "LOOKALIKES",
    "CannotWriteError",
    "SampleLogError",
    "SampleOptions",
    "SampleReport",
    "WrongLogError",
    "WrongOptionError",
    "write_sample_log",
]
