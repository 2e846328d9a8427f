"""The ids of the extensions that the exchange knows: eight of its own (wire-format.md) and those of others."""

from typing import Final

SIGNATURE_EXTENSION: Final = "extension-definition--c0aadd75-aad9-48fd-a971-26ca51d06c7d"
KEYS_EXTENSION: Final = "extension-definition--b43f4b38-3524-4a20-bbcc-301a6f65028c"
DISTRIBUTION_EXTENSION: Final = "extension-definition--456471b6-5ba6-463a-8e38-8c78a0b4cf21"
SELECTOR_EXTENSION: Final = "extension-definition--5639cdff-1bdc-4c17-a093-02ba60026782"
RANGES_EXTENSION: Final = "extension-definition--dc785ed1-20f4-466e-a7d9-a2a08c6d73f0"
FEEDBACK_EXTENSION: Final = "extension-definition--14270733-0c7d-4b85-b35e-77066bb2d8d8"
APPEAL_EXTENSION: Final = "extension-definition--da358fb5-4fb2-4556-a4b2-ba1d0f9d5cc5"
WITHDRAWAL_EXTENSION: Final = "extension-definition--8ed703ed-0ca8-4593-9a23-bec368cb1f7f"

# OASIS common objects: the marker of TLP 2.0 on its five marking-definitions.
TLP2_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
# University of Oslo: a security playbook carried by a course-of-action.
COA_PLAYBOOK_EXTENSION: Final = "extension-definition--1e1c1bd7-c527-4215-8e18-e199e74da57c"
