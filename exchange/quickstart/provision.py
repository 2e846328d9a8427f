"""Sets up the node, its labs and their accounts, in a process of its own under the node's environment.

`python -m exchange.quickstart.provision DATA_DIR`: an answer without secrets as JSON on stdout; what is secret goes to
files. One line on stderr and exit code 1 when it cannot be done.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from exchange.quickstart.errors import QuickstartError
from exchange.services.errors import ExchangeError
from exchange.startup import apply_missing_migrations


def main(data_dir: Path) -> int:
    """Migrate, provision, answer."""
    apply_missing_migrations(data_dir / "nodes.lock")
    # Imported here because models need Django to be set up.
    from exchange.quickstart.provisioning import provision_node

    try:
        answer = provision_node(data_dir)
    except (QuickstartError, ExchangeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
