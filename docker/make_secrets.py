"""Makes the secret files that compose.yaml names, in docker/secrets/. Standard library only; overwrites nothing.

The folder is closed to other users of the host; the files in it can be read by the containers' own users.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "secrets"
PASSWORD_BYTES = 32
SECRET_KEY_BYTES = 48
SEALING_KEY_BYTES = 32


def make_values() -> dict[str, str]:
    """File name to value. Passwords are URL-safe, so that they stand in addresses as they are."""
    owner, app, broker = (secrets.token_urlsafe(PASSWORD_BYTES) for _ in range(3))
    return {
        "database_superuser_password": secrets.token_urlsafe(PASSWORD_BYTES),
        "database_owner_password": owner,
        "database_app_password": app,
        "database_owner_url": f"postgresql://commonwatch_owner:{owner}@db:5432/commonwatch",
        "database_url": f"postgresql://commonwatch_app:{app}@db:5432/commonwatch",
        "broker_password": broker,
        "broker_url": f"redis://:{broker}@valkey:6379/0",
        "cache_url": f"redis://:{broker}@valkey:6379/1",
        "secret_key": secrets.token_urlsafe(SECRET_KEY_BYTES),
        "sealing_keys": base64.urlsafe_b64encode(secrets.token_bytes(SEALING_KEY_BYTES)).decode(),
        "metrics_token": secrets.token_urlsafe(PASSWORD_BYTES),
    }


def main() -> int:
    """Write the files; exit code 1 where the folder is there already."""
    try:
        FOLDER.mkdir(mode=0o700)
    except FileExistsError:
        sys.stderr.write(f"{FOLDER} is there already; nothing is overwritten\n")
        return 1
    for name, value in make_values().items():
        fd = os.open(FOLDER / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(value)
    sys.stdout.write(f"secrets are in {FOLDER}: keep a copy of sealing_keys, without it sealed keys are lost\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
