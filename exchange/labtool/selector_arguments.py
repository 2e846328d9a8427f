"""What the command line of `selectors` looks like."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

MARKINGS: Final = ("clear", "green", "amber", "amber+strict")
"""RED names persons, whom no selector is for."""


def add_selectors(parser: argparse.ArgumentParser) -> None:
    """The options of `selectors`."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="identifiers as CSV or JSON lines; - is stdin")
    parser.add_argument("--key", required=True, type=Path, metavar="FILE", help="your signing key")
    parser.add_argument("--marking", choices=MARKINGS, metavar="LABEL", help=f"who may see them: {', '.join(MARKINGS)}")
    parser.add_argument("--publish", action="store_true", help="publish at the node instead of printing the objects")
    parser.add_argument("--reissue", action="store_true", help="make all selectors again, in the current epoch")
    parser.add_argument("--values", type=Path, metavar="FILE", help="where identifiers are kept; default: by the pins")
    parser.add_argument("--lab-identity", metavar="ID", help="your identity; default: what stands beside the key")
