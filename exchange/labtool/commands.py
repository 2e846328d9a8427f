"""What a command of the lab tool is: called with its options, and answered with an exit code."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import Final

from exchange.labtool.configuration import Configuration
from exchange.labtool.output import Output

DONE: Final = 0
WRONG: Final = 1
"""Something was found wrong with the data."""

Command = Callable[[Namespace, Configuration, Output], int]
