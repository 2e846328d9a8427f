"""Where PostgreSQL keeps data and programs when it runs as another user who cannot enter the usual folders.

It opens no folder that the stack did not make: at most, the group of that user may enter the data directory, without
listing it. Where a folder above it is closed, data and programs go to a folder below ``/var``, and ``postgres`` in the
data directory is a link to it.
"""

import os
import secrets
import shutil
import stat
from pathlib import Path

from exchange.stack.binaries import PostgresInstall
from exchange.stack.errors import StackError
from exchange.stack.identity import Identity, can_reach

ANNEXES = (Path("/var/lib/commonwatch"), Path("/var/tmp/commonwatch"))  # noqa: S108  ownership is checked below
ENTER_BY_GROUP = 0o710
ENTER_BY_ALL = 0o711


def _new_annex(data_dir: Path) -> Path:
    """Make a folder below /var for this data directory; nobody but the present user may write there."""
    for base in ANNEXES:
        try:
            base.mkdir(mode=ENTER_BY_ALL, exist_ok=True)
            # Somebody else could have made it before us in a folder where all may write.
            found = base.lstat()
            if found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode):
                # A new name each time: what an earlier data directory of the same path left there is not ours.
                annex = base / secrets.token_hex(8)
                annex.mkdir()
                for folder in (base, annex):
                    folder.chmod(ENTER_BY_ALL)  # whatever the umask
                return annex
        except OSError:
            continue
    raise StackError(f"the user that PostgreSQL runs as cannot enter {data_dir}; choose another data directory")


def home_for(identity: Identity, data_dir: Path) -> Path:
    """Return the folder below which ``identity`` can keep files: ``data_dir``, or one below /var.

    Raises:
        StackError: there is none, or the one below /var that was used before is gone.
    """
    link = data_dir / "postgres"
    if link.is_symlink():
        home = link.resolve().parent
        if not home.is_dir():
            raise StackError(f"{link} leads to {home}, which is gone: restore it, or remove the link to begin anew")
        return home
    if identity.mode != "uid" or can_reach_inside(identity, data_dir):
        return data_dir
    mine = data_dir.stat().st_uid == os.geteuid() and data_dir.stat().st_mode & 0o077 == 0
    if mine and can_reach_inside(identity, data_dir.parent):
        os.chown(data_dir, -1, identity.gid)
        data_dir.chmod(ENTER_BY_GROUP)
        return data_dir
    return _new_annex(data_dir)


def can_reach_inside(identity: Identity, folder: Path) -> bool:
    """Tell whether ``identity`` can enter ``folder``, whether or not it can list it."""
    return can_reach(identity, [folder], listing=False)


def install_for(identity: Identity, install: PostgresInstall, home: Path) -> PostgresInstall:
    """Return programs that ``identity`` can run: ``install`` itself, or a copy of it below ``home``."""
    if identity.mode == "same" or can_reach(identity, [*install.folders, Path(install.program("postgres"))]):
        return install
    copy = PostgresInstall(home / f"postgres-programs-{install.version}", install.version)
    if not copy.root.exists():
        draft = home / ".postgres-programs"
        shutil.rmtree(draft, ignore_errors=True)
        for folder in install.folders:
            shutil.copytree(folder, draft / folder.relative_to(install.root), symlinks=True)
        for path in [draft, *draft.rglob("*")]:
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(copy.root)
    return copy


def give_to(identity: Identity, folder: Path) -> None:
    """Make ``identity`` the owner of everything in ``folder``, as another way of running may have left it to others."""
    if folder.stat().st_uid == identity.owner_uid:
        return
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            identity.take(Path(parent) / name)
    # Last, so that an interrupted change is done again.
    identity.take(folder)
