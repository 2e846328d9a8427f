"""Sample intelligence of three invented labs, for the quickstart and for tests.

The content stands in the YAML and JSON files beside this one. Labs, actors and campaigns are invented; addresses,
domains and networks are those reserved for documentation.
"""

from exchange.samples.accounts import SampleAccount, as_list, sample_accounts, shared_with
from exchange.samples.building import LABS, sample_ids, sample_objects
from exchange.samples.views import View, expected_views

__all__ = [
    "LABS",
    "SampleAccount",
    "View",
    "as_list",
    "expected_views",
    "sample_accounts",
    "sample_ids",
    "sample_objects",
    "shared_with",
]
