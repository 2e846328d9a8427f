"""Keys that the exchange holds: a lab's, from the first command to a signed object, and the node's own renewal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from exchange.models import SigningKey as KeyRow
from exchange.services.access import authenticate_token
from exchange.services.held_keys import open_node_key
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab
from exchange.services.node import renew_node_key
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.services.tokens import issue_token
from exchange.services.withdrawals import this_node
from exchange.stix.canonical import canonicalize
from exchange.stix.errors import KeyChainError
from exchange.stix.extensions import Keys
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.identifiers import create_id
from exchange.stix.keys import SigningKey, parse_public_key, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign_identity
from exchange.stix.timestamps import format_stix
from tests.support.labs import LOOPBACK, Community


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def draft_identity(root: SigningKey, jwk: object) -> bytes:
    """What a lab's own tool makes of the public key that the operator sent."""
    now = datetime.now(UTC)
    keys = Keys((root.public(nbf=unix_seconds(now) - 300), parse_public_key(jwk, "")))
    members = {
        "type": "identity",
        "spec_version": "2.1",
        "id": create_id("identity"),
        "created": format_stix(now),
        "modified": format_stix(now),
        "name": "Delta",
        "identity_class": "organization",
        "object_marking_refs": [Tlp.GREEN.marking_id],
        "extensions": {KEYS_EXTENSION: keys.to_extension()},
    }
    return canonicalize(sign_identity(members, [root], unix_seconds(now)))


def test_a_lab_has_the_exchange_hold_its_key_from_the_first_command_on(community: Community, tmp_path: Path) -> None:
    lab = create_lab(actor=OPERATOR, slug="delta", name="Delta")
    root = SigningKey.generate("root")
    pin_key(actor=OPERATOR, lab=lab, thumbprint=root.kid)
    jwk = json.loads(run("create_exchange_key", "delta"))
    (tmp_path / "draft.json").write_bytes(draft_identity(root, jwk))
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["read", "publish"]).secret
    principal = authenticate_token(token, source_address=LOOPBACK)

    bare = (tmp_path / "draft.json").read_bytes()
    refused = publish_objects(principal=principal, bodies=[bare], collection=None, door="test")[0]
    assert refused.error is not None
    assert refused.error.code == "chain-proof"

    run("countersign_identity", "delta", str(tmp_path / "draft.json"), "--to", str(tmp_path / "identity.json"))
    finished = (tmp_path / "identity.json").read_bytes().strip()
    outcome = publish_objects(principal=principal, bodies=[finished], collection=None, door="test")[0]
    assert outcome.status is OutcomeStatus.STORED, outcome.error
    assert KeyRow.objects.get(kid=jwk["kid"]).custody == "exchange"
    with pytest.raises(CommandError, match="not the identity of that lab"):
        run("countersign_identity", "aurora", str(tmp_path / "draft.json"), "--to", str(tmp_path / "other.json"))


def test_the_node_renews_its_signing_key_with_its_root_key(community: Community) -> None:
    root = community.node.root_key
    assert root is not None
    before = open_node_key(this_node(), datetime.now(UTC)).kid
    with pytest.raises(KeyChainError):
        renew_node_key(root_key=SigningKey.generate("root"))
    kid = renew_node_key(root_key=root)
    assert kid != before
    assert open_node_key(this_node(), datetime.now(UTC)).kid == kid
    assert set(KeyRow.objects.filter(lab=this_node(), use="sig").values_list("kid", flat=True)) >= {before, kid}
