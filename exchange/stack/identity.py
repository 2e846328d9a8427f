"""Decides as which user PostgreSQL runs: PostgreSQL refuses user 0 and needs a user that has a name.

It changes no user itself: the guard does, in the process that becomes the server.
"""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from exchange.stack import guard
from exchange.stack.errors import StackError

# The user that stands in for ids that a namespace does not map; everything foreign looks like its own.
OVERFLOW_UID = 65534
PROBE_TIMEOUT_S = 10.0

RootMode = Literal["auto", "namespace", "uid"]


@dataclass(frozen=True)
class Identity:
    """A user to run as.

    ``same``: the user of this process. ``namespace``: ``uid`` inside a user namespace, the user of this process for
    the file system. ``uid``: another user (only user 0 can do that).
    """

    mode: Literal["same", "namespace", "uid"]
    uid: int
    gid: int

    @property
    def owner_uid(self) -> int:
        """The user to whom the files of such a process belong, as seen from here."""
        return self.uid if self.mode == "uid" else os.geteuid()

    @property
    def owner_gid(self) -> int:
        """The group of those files, as seen from here."""
        return self.gid if self.mode == "uid" else os.getegid()

    def take(self, path: Path) -> None:
        """Make such a process the owner of ``path`` (of a link itself, not of where it leads)."""
        os.chown(path, self.owner_uid, self.owner_gid, follow_symlinks=False)

    def as_spec(self) -> dict[str, str | int]:
        """The form in which the guard is told."""
        return {"mode": self.mode, "uid": self.uid, "gid": self.gid}


def same_identity() -> Identity:
    """The user of this process."""
    return Identity("same", os.geteuid(), os.getegid())


def can_reach(identity: Identity, paths: Iterable[Path], *, listing: bool = True) -> bool:
    """Tell whether ``identity`` is possible here and can enter (or execute) and, if ``listing``, read every path."""
    access = os.X_OK | (os.R_OK if listing else 0)
    spec = {"identity": identity.as_spec(), "reach": [str(path) for path in paths], "access": access}
    argv = [sys.executable, "-I", "-S", guard.__file__, json.dumps(spec)]
    done = subprocess.run(argv, capture_output=True, timeout=PROBE_TIMEOUT_S, check=False, cwd="/")
    return done.returncode == 0


def _named_users() -> list[pwd.struct_passwd]:
    return [entry for entry in pwd.getpwall() if entry.pw_uid != 0]


def _namespace_identity() -> Identity:
    users = sorted(_named_users(), key=lambda entry: entry.pw_uid == OVERFLOW_UID)
    if not users:
        raise StackError("PostgreSQL cannot run as root, and /etc/passwd names no other user")
    return Identity("namespace", users[0].pw_uid, users[0].pw_gid)


def _other_identity() -> Identity:
    users = sorted(_named_users(), key=lambda entry: entry.pw_name != "nobody")
    if not users:
        raise StackError("PostgreSQL cannot run as root, and /etc/passwd names no other user")
    return Identity("uid", users[0].pw_uid, users[0].pw_gid)


def _has_name(uid: int) -> bool:
    return any(entry.pw_uid == uid for entry in pwd.getpwall())


def choose_identity(data_owner: int | None, reach: Iterable[Path], root_mode: RootMode = "auto") -> Identity:
    """Choose the user for PostgreSQL.

    ``data_owner`` is the user who owns the existing database folder, None when there is none yet. ``reach`` are paths
    that a process in a user namespace must be able to enter. As user 0: the owner of existing data if that is another
    user; else a user namespace; else, where namespaces are refused, the user ``nobody``.

    Raises:
        StackError: a plain user would have to touch the data of another one, or no user can be found.
    """
    me = os.geteuid()
    if me != 0:
        if data_owner not in (None, me):
            raise StackError(f"the database folder belongs to user id {data_owner}, not to you ({me})")
        return same_identity() if _has_name(me) else _namespace_identity()
    if data_owner and root_mode == "auto":
        gid = next((entry.pw_gid for entry in pwd.getpwall() if entry.pw_uid == data_owner), data_owner)
        return Identity("uid", data_owner, gid)
    if root_mode == "uid":
        return _other_identity()
    namespace = _namespace_identity()
    if root_mode == "namespace" or can_reach(namespace, reach):
        return namespace
    return _other_identity()
