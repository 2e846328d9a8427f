"""Where the node may connect to: what a member names as a target is judged here, whoever connects then.

Nothing here opens a connection. Whoever does connects to an address of `Target.addresses` and resolves nothing again.
"""

from exchange.services.outbound.hosts import allow_host, disallow_host, list_allowed_hosts
from exchange.services.outbound.targets import (
    Target,
    TargetRefusedError,
    TargetUnresolvedError,
    TargetUrl,
    check_target,
    parse_target,
    resolve_target,
)

__all__ = [
    "Target",
    "TargetRefusedError",
    "TargetUnresolvedError",
    "TargetUrl",
    "allow_host",
    "check_target",
    "disallow_host",
    "list_allowed_hosts",
    "parse_target",
    "resolve_target",
]
