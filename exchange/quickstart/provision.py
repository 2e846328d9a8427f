"""Sets a node up, in a process of its own under the node's environment: models belong to one database a process.

`python -m exchange.quickstart.provision DATA_DIR NODE LAB...`: each line of stdin names an act with its arguments, as
JSON; each is answered by a line of JSON on stdout. Secrets pass by these two pipes or by files, never by arguments. One
line on stderr and exit code 1 when something cannot be done.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import find_node
from exchange.services.errors import ExchangeError
from exchange.startup import apply_missing_migrations

Act = Callable[..., dict[str, Any]]


def main(data_dir: Path, name: str, labs: list[str]) -> int:
    """Migrate, then do what is asked until stdin ends."""
    node = find_node(name, labs)
    apply_missing_migrations(node.folder(data_dir) / "migrations.lock")
    # Imported here because models need Django to be set up.
    from exchange.quickstart.peering import admit_peer, pull_identities, reach_peer
    from exchange.quickstart.provisioning import provision_node

    acts: dict[str, Act] = {
        "provision": lambda: provision_node(data_dir, node),
        "admit": admit_peer,
        "reach": reach_peer,
        "pull-identities": pull_identities,
    }
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = acts[request.pop("act")](**request)
        except (QuickstartError, ExchangeError) as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
