"""Where a judged object goes in a pulled folder, and what it does to those that lie there already.

A revoked version moves older versions aside, a node's withdrawal note moves what it names. Order matters: a
note is about what came before it, so everything before it is written first.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from exchange.labtool.judging import Verdict
from exchange.labtool.shelf import Shelf, read_object_file
from exchange.labtool.shelf_memory import digest_of
from exchange.stix.errors import StixError
from exchange.stix.extensions import Withdrawal
from exchange.stix.reading import read_object
from exchange.stix.signature import payload_digest
from exchange.stix.timestamps import ordering_key

# sharing-policy: suspended objects may come back; the others only return if the node sends them again.
SUSPENDED = "suspended"
RESTORED = "restored"
REVOKED = "revoked"


class Counts(Protocol):
    """What placing counts."""

    stored: int
    withdrawn: int
    restored: int
    reasons: dict[str, str]


class Placing:
    """Puts the objects of one pull in their places, page by page."""

    def __init__(self, shelf: Shelf, counts: Counts) -> None:
        self._shelf = shelf
        self._counts = counts
        self._pending: dict[Path, Verdict] = {}
        self._refused: dict[str, Verdict] = {}

    def place(self, verdict: Verdict) -> bool:
        """Take one object; whether it went to `objects/` or was there. It lasts from `finish` on."""
        path = self._shelf.path_of(verdict) if verdict.is_ok else None
        if path is None:
            return self._refuse(verdict, "The id or version makes no safe file name.")
        reason = self._obstacle(path, verdict)
        if reason:
            return self._refuse(verdict, reason)
        if path not in self._pending and not path.exists():
            self._pending[path] = verdict
        self._apply(verdict)
        return True

    def displace(self, path: Path, verdict: Verdict) -> None:
        """Move a stored version that no longer verifies to quarantine; a revocation by it is void."""
        self._refused[digest_of(verdict.raw)] = verdict
        producer, object_id = path.parent.parent.name, path.parent.name
        key = f"{producer}/{object_id}"
        if self._shelf.state.revoked.get(key) == verdict.version:
            del self._shelf.state.revoked[key]
            for copy, reason in self._shelf.withdrawn_versions(object_id, producer):
                if reason.get("by") == key:
                    self._shelf.restore(copy)
                    self._counts.restored += 1
        self._shelf.discard(path, verdict.raw)

    def finish(self, collection: str, now: datetime) -> None:
        """Make everything taken so far last. Raises: DataError."""
        self._write_pending()
        self._counts.reasons |= {refused.id or digest: refused.reason for digest, refused in self._refused.items()}
        self._shelf.quarantine(self._refused.values(), collection, now)
        self._refused.clear()

    def _refuse(self, verdict: Verdict, reason: str) -> bool:
        self._refused[digest_of(verdict.raw)] = replace(verdict, reason=verdict.reason or reason)
        return False

    def _write_pending(self) -> None:
        self._shelf.store(self._pending.items())
        for path in self._pending:
            self._shelf.forget_withdrawn(path)
        self._counts.stored += len(self._pending)
        self._pending.clear()

    def _obstacle(self, path: Path, verdict: Verdict) -> str:
        """Why a verified object cannot stand beside what is here, "" if it can."""
        known = self._pending[path].raw if path in self._pending else _raw_or_none(path)
        if known is not None and known != verdict.raw and _payload_of(known) != verdict.payload_sha256:
            return "Another body of this version is here already."
        revoked = self._shelf.state.revoked.get(_key_of(verdict))
        if revoked is not None and ordering_key(str(verdict.version)) > ordering_key(revoked):
            return "The object was revoked before this version."
        return ""

    def _apply(self, verdict: Verdict) -> None:
        """What this object says about others, done as often as it comes: a crash may have been in between."""
        members = verdict.members or {}
        key = _key_of(verdict)
        if members.get("revoked") is True and verdict.version is not None:
            self._shelf.state.revoked[key] = verdict.version
        if key in self._shelf.state.revoked:
            self._write_pending()
            self._shelf.save_state()
            self._set_aside_revoked(key, verdict)
        elif (withdrawal := verdict.withdrawal) is not None:
            self._write_pending()
            self._apply_withdrawal(withdrawal, str(verdict.id))

    def _set_aside_revoked(self, key: str, verdict: Verdict) -> None:
        """Leave only the revoking version in `objects/`."""
        revoking = replace(verdict, version=self._shelf.state.revoked[key])
        kept = self._shelf.path_of(revoking)
        for path in self._shelf.stored_versions(str(verdict.id), verdict.producer):
            if path != kept:
                self._withdraw(path, {"state": REVOKED, "by": key})

    def _apply_withdrawal(self, withdrawal: Withdrawal, note: str) -> None:
        """wire-format, "Withdrawal": which of one producer's copies the node says are not, or again, to be used."""
        if withdrawal.state == RESTORED:
            for path, reason in self._shelf.withdrawn_versions(withdrawal.object, withdrawal.producer):
                if reason.get("state") == SUSPENDED:
                    self._shelf.restore(path)
                    self._counts.restored += 1
            return
        reason = {"state": withdrawal.state, "at": withdrawal.at, "by": note}
        for path in self._shelf.stored_versions(withdrawal.object, withdrawal.producer):
            self._withdraw(path, reason)

    def _withdraw(self, path: Path, reason: dict[str, str]) -> None:
        self._shelf.withdraw(path, reason)
        self._counts.withdrawn += 1


def _key_of(verdict: Verdict) -> str:
    return f"{verdict.producer}/{verdict.id}"


def _raw_or_none(path: Path) -> bytes | None:
    return read_object_file(path) if path.exists() else None


def _payload_of(raw: bytes) -> str | None:
    try:
        return payload_digest(read_object(raw).members)
    except StixError:
        return None
