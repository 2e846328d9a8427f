"""OpenTAXII as gunicorn serves it. Runs in OpenTAXII's own environment (opentaxii.txt), not in ours.

Its configuration is the file that OPENTAXII_CONFIG names. As a program it makes the tables, an account, an API root and
a collection, and prints what is needed to fill and to ask it, as JSON.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from opentaxii.http import app, server

# OpenTAXII gives `uuid.UUID` to `json.dumps`, which knows none, wherever SQLAlchemy 2 reads an id.
_plain = json.JSONEncoder.default


def _with_uuid(self: json.JSONEncoder, o: Any) -> Any:
    return str(o) if isinstance(o, uuid.UUID) else _plain(self, o)


json.JSONEncoder.default = _with_uuid  # type: ignore[method-assign] # replaced on purpose: its code calls json.dumps

application = app


def main() -> None:
    """Set up what is served."""
    accounts, stored = server.auth.api, server.servers.taxii2.persistence.api
    accounts.db.create_all_tables()
    stored.db.create_all_tables()
    accounts.create_account("bench", "bench", is_admin=True)
    root = stored.add_api_root(title="bench", default=True)
    collection = stored.add_collection(api_root_id=root.id, title="bench", alias="bench")
    token = accounts.authenticate("bench", "bench")
    print(json.dumps({"root": str(root.id), "collection": str(collection.id), "token": token}))


if __name__ == "__main__":
    main()
