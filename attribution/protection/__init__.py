"""Protection of the innocent: networks that are not to be blocked, and the marks that answers carry for them."""

from attribution.protection.allowing import (
    ImportReport,
    NewAllowedNetwork,
    add_allowed_network,
    import_allowed_file,
    list_allowed_networks,
    remove_allowed_network,
)
from attribution.protection.marks import Mark, marks_for

__all__ = [
    "ImportReport",
    "Mark",
    "NewAllowedNetwork",
    "add_allowed_network",
    "import_allowed_file",
    "list_allowed_networks",
    "marks_for",
    "remove_allowed_network",
]
