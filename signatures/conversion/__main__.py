"""Prints the tables of docs/conversion.md: `python -m signatures.conversion`."""

import sys

from signatures.conversion.document import tables

sys.stdout.write(tables())
