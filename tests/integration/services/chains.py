"""Later versions of a lab's identity: new keys, ended keys, and broken chains."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from exchange.services.keys import keys_of
from exchange.stix.canonical import canonicalize
from exchange.stix.extensions import Keys
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.keys import PublicKey, SigningKey
from exchange.stix.signature import sign_identity
from exchange.stix.timestamps import format_stix
from tests.integration.services.views import as_owner, seconds_now
from tests.support.labs import LabHandle


def newest_identity(lab: LabHandle) -> dict[str, Any]:
    body = as_owner(
        "SELECT v.body FROM version v JOIN object o ON o.id = v.object_id WHERE o.stix_id = %s"
        " ORDER BY v.version_text DESC LIMIT 1",
        lab.identity,
    )[0][0]
    members: dict[str, Any] = json.loads(bytes(body))
    return members


def next_identity(
    lab: LabHandle,
    *,
    add: Sequence[PublicKey] = (),
    change: dict[str, dict[str, Any]] | None = None,
    signers: Sequence[SigningKey] = (),
    **members: Any,
) -> bytes:
    """The next version: keys added, terms of keys (by thumbprint) changed; signed by the root and by `signers`."""
    before = newest_identity(lab)
    changes = change or {}
    keys = [key.to_jwk() | changes.get(key.kid, {}) for key in (*keys_of(lab.lab), *add)]
    extension = Keys(()).to_extension() | {"jwks": {"keys": keys}}
    later = datetime.fromisoformat(before["modified"]) + timedelta(milliseconds=1)
    after = before | {"modified": format_stix(later), "extensions": {KEYS_EXTENSION: extension}} | members
    return canonicalize(sign_identity(after, signers or [lab.keys.root], seconds_now()))


def new_signing_key(**terms: Any) -> tuple[SigningKey, PublicKey]:
    key = SigningKey.generate("sig")
    return key, key.public(**({"nbf": seconds_now() - 60} | terms))
