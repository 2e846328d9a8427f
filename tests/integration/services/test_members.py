"""Tokens, labs, persons and collections: who they are, what they may, and what is written down about it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import orjson
import pytest

from exchange.models import AuditEvent, Collection, Lab, Leaf, Token
from exchange.services.access import authenticate_token, require_scope
from exchange.services.clock import now
from exchange.services.collections import create_collection, find_collection, visible_collections
from exchange.services.database import writing
from exchange.services.errors import (
    AccessDeniedError,
    ConflictError,
    InvalidRequestError,
    NotAuthenticatedError,
    NotFoundError,
)
from exchange.services.labs import create_lab, create_person, list_labs, resume_lab, suspend_lab
from exchange.services.node import init_node
from exchange.services.principals import ANONYMOUS, OPERATOR, Principal
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.services.tokens import IssuedToken, issue_own_token, issue_token, list_tokens, revoke_token
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, finds, refusal, visible
from tests.support.labs import LOOPBACK, Community


def sign_in(token: IssuedToken, address: str = LOOPBACK) -> Principal:
    return authenticate_token(token.secret, source_address=address)


def test_a_token_is_kept_as_a_digest_and_recognised_by_its_prefix(community: Community) -> None:
    issued = issue_token(actor=OPERATOR, lab=community.aurora.lab, scopes=["read"])
    assert issued.secret.startswith("cwt_")
    assert issued.secret.startswith(issued.token.prefix)
    row = as_owner("SELECT to_jsonb(t)::text, digest FROM token t WHERE prefix = %s", issued.token.prefix)[0]
    assert bytes(row[1]) == hashlib.sha256(issued.secret.encode()).digest()
    secret_part = issued.secret.removeprefix(issued.token.prefix + "_")
    assert len(secret_part) >= 43
    assert secret_part not in row[0]
    for table in ("audit", "delivery", "leaf"):
        assert as_owner(f"SELECT count(*) FROM {table} t WHERE to_jsonb(t)::text LIKE %s", f"%{secret_part}%") == [(0,)]
    assert all(not hasattr(token, "secret") for token in list_tokens(principal=community.aurora.principal))


def test_every_token_that_opens_nothing_gets_the_same_answer(community: Community) -> None:
    aurora = community.aurora
    bound = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["read"], bounds={"networks": ["192.0.2.0/24"]})
    expired = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["read"])
    Token.objects.filter(pk=expired.token.pk).update(expires_at=now() - timedelta(seconds=1))
    revoked = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["read"])
    revoke_token(principal=aurora.principal, prefix=revoked.token.prefix)
    wrong = aurora.token[:-1] + ("A" if aurora.token[-1] != "A" else "B")
    odd = ("", "cwt_", "cwt_12345678", "x" * 80, "cwt_\x00aaaaaaaaaaaa", "cwt_ééééééééééé", "cwt_\ud800aaaaaaaaaaaa")
    secrets = (*odd, wrong, bound.secret, expired.secret, revoked.secret)
    told = set()
    for secret in secrets:
        with pytest.raises(NotAuthenticatedError) as caught:
            authenticate_token(secret, source_address=LOOPBACK)
        told.add((caught.value.code, caught.value.detail, caught.value.pointer))
    assert len(told) == 1
    assert sign_in(bound, "192.0.2.7").lab_slug == "aurora"
    assert sign_in(bound, "::ffff:192.0.2.7").lab_slug == "aurora"
    with pytest.raises(NotAuthenticatedError):
        sign_in(bound, "unix")


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["root"]}, "/scopes"),
        ({"scopes": ["read", "publish"], "client": True}, "/scopes"),
        ({"scopes": ["read"], "expires_at": -1}, "/expires"),
        ({"scopes": ["read"], "expires_at": 367}, "/expires"),
        ({"scopes": ["read"], "bounds": {"speed": 1}}, "/bounds/speed"),
        ({"scopes": ["read"], "bounds": {"collections": "signatures"}}, "/bounds/collections"),
        ({"scopes": ["read"], "bounds": {"collections": [1]}}, "/bounds/collections"),
        ({"scopes": ["read"], "bounds": {"networks": "10.0.0.0/8"}}, "/bounds/networks"),
        ({"scopes": ["read"], "bounds": {"networks": [5]}}, "/bounds/networks"),
        ({"scopes": ["read"], "bounds": {"networks": ["10.0.0.1/8"]}}, "/bounds"),
        ({"scopes": ["read"], "bounds": {"highest_label": "PINK"}}, "/bounds"),
        ({"scopes": ["read"], "bounds": {"highest_label": 3}}, "/bounds"),
        ({"scopes": ["read"], "bounds": {"daily_quota": 0}}, "/bounds"),
        ({"scopes": ["read"], "bounds": {"daily_quota": True}}, "/bounds"),
        ({"scopes": ["read"], "bounds": {"daily_quota": "9"}}, "/bounds"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_with_its_place(
    community: Community, wanted: dict[str, Any], pointer: str
) -> None:
    if "expires_at" in wanted:
        wanted = {**wanted, "expires_at": now() + timedelta(days=wanted["expires_at"])}
    with pytest.raises(InvalidRequestError) as caught:
        issue_token(actor=OPERATOR, lab=community.aurora.lab, **wanted)
    assert caught.value.pointer == pointer


def test_a_token_makes_none_that_may_more_than_itself(community: Community) -> None:
    own_bounds = {
        "collections": ["signatures", "playbooks"],
        "highest_label": "TLP:AMBER",
        "networks": ["127.0.0.0/8", "2001:db8::/32"],
    }
    parent = sign_in(
        issue_token(
            actor=OPERATOR,
            lab=community.aurora.lab,
            scopes=["read", "publish"],
            bounds=own_bounds,
            expires_at=now() + timedelta(days=10),
        )
    )
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"scopes": ["read", "feedback"]}, "/scopes"),
        ({"scopes": ["read"], "expires_at": now() + timedelta(days=11)}, "/expires"),
        ({"scopes": ["read"], "bounds": {"collections": ["signatures", "attribution"]}}, "/bounds/collections"),
        ({"scopes": ["read"], "bounds": {"highest_label": "TLP:RED"}}, "/bounds/highest_label"),
        ({"scopes": ["read"], "bounds": {"networks": ["0.0.0.0/0"]}}, "/bounds/networks"),
        ({"scopes": ["read"], "bounds": {"networks": ["127.0.0.1/32", "2001::/16"]}}, "/bounds/networks"),
    )
    count = Token.objects.count()
    for wanted, pointer in refused:
        with pytest.raises(AccessDeniedError) as caught:
            issue_own_token(principal=parent, **wanted)
        assert caught.value.pointer == pointer
    assert Token.objects.count() == count
    same = issue_own_token(principal=parent, scopes=["read"]).token
    assert (same.bounds, same.expires_at) == (own_bounds, Token.objects.get(prefix=parent.token_prefix).expires_at)
    narrower = {"collections": ["playbooks"], "highest_label": "TLP:GREEN", "networks": ["127.0.0.1/32"]}
    child = issue_own_token(principal=parent, scopes=["read"], bounds={**narrower, "daily_quota": 5}, client=True)
    assert child.token.bounds == {**narrower, "daily_quota": 5}, "narrower where that is asked for"
    for principal in (sign_in(child), ANONYMOUS, OPERATOR):
        with pytest.raises(AccessDeniedError):
            issue_own_token(principal=principal, scopes=["read"])


def test_a_lab_lists_and_ends_its_own_tokens_alone(community: Community) -> None:
    aurora, borealis, _ = community.labs
    own = {token.prefix for token in list_tokens(principal=aurora.principal)}
    assert own == {aurora.token[:12], aurora.client_token[:12]}
    assert {token.prefix for token in list_tokens(principal=aurora.client)} == {aurora.client_token[:12]}
    assert list_tokens(principal=ANONYMOUS) == []
    told = set()
    for principal, prefix in (
        (aurora.principal, borealis.token[:12]),
        (aurora.principal, "cwt_00000000"),
        (aurora.client, aurora.token[:12]),
    ):
        with pytest.raises(NotFoundError) as caught:
            revoke_token(principal=principal, prefix=prefix)
        told.add(caught.value.detail)
    assert len(told) == 1
    assert borealis.principal.lab_slug == "borealis"
    for _ in range(2):
        revoke_token(principal=aurora.principal, prefix=aurora.client_token[:12])
    assert AuditEvent.objects.filter(action="token-revoked").count() == 1


def test_scopes_are_asked_for(community: Community) -> None:
    with pytest.raises(NotAuthenticatedError):
        require_scope(ANONYMOUS, "read")
    with pytest.raises(AccessDeniedError):
        require_scope(community.aurora.client, "publish")
    require_scope(community.aurora.principal, "publish")


def test_membership_is_logged_in_clear_and_audited(community: Community) -> None:
    create_lab(actor=OPERATOR, slug="dune", name="Dune")
    for _ in range(2):
        suspend_lab(actor=OPERATOR, slug="dune")
    resume_lab(actor=OPERATOR, slug="dune")
    with writing():
        leaves = list(Leaf.objects.filter(lab_id=Lab.objects.get(slug="dune").pk).order_by("seq"))
    assert [leaf.operation for leaf in leaves] == ["lab-admitted", "lab-suspended", "lab-admitted"]
    for leaf in leaves:
        record = orjson.loads(bytes(leaf.data))["record"]
        assert (record["operation"], record["id"], leaf.salt) == (leaf.operation, "dune", None)
    actions = AuditEvent.objects.filter(subject="dune").order_by("id").values_list("action", "actor")
    assert list(actions) == [
        ("lab-admitted", "operator"),
        ("lab-status-suspended", "operator"),
        ("lab-status-active", "operator"),
    ]
    with pytest.raises(ConflictError):
        create_lab(actor=OPERATOR, slug="dune", name="Another")
    with pytest.raises(NotFoundError):
        suspend_lab(actor=OPERATOR, slug=community.node.lab.slug)
    assert {lab.slug for lab in list_labs()} >= {"aurora", "borealis", "cobalt", "dune", community.node.lab.slug}


def test_leaves_of_objects_are_commitments_that_only_salt_and_record_open(community: Community) -> None:
    aurora = community.aurora
    members = aurora.indicator()
    assert aurora.publish(aurora.signed(members))[0].status is OutcomeStatus.STORED
    with writing():
        leaf = Leaf.objects.filter(operation="publish").order_by("-seq")[0]
    data = orjson.loads(bytes(leaf.data))
    commitment = hashlib.sha256(bytes(leaf.salt or b"") + bytes(leaf.record or b"")).hexdigest()
    assert data == {"v": 1, "commitment": commitment}
    record = orjson.loads(bytes(leaf.record or b""))
    assert set(record) == {"operation", "type", "id", "version", "payload_sha256", "lab", "time"}
    assert (record["id"], record["lab"]) == (members["id"], aurora.identity)
    assert len(bytes(leaf.salt or b"")) == 32


def test_persons_have_a_handle_and_a_second_factor_and_no_name(community: Community) -> None:
    made = create_person(actor=OPERATOR, username="ada", role="analyst", lab=community.aurora.lab, password="pw")
    assert made.person.identity_id.startswith("identity--")
    assert len(made.totp_secret) == 32
    assert made.totp_secret not in str(as_owner("SELECT detail FROM audit"))
    with pytest.raises(ConflictError):
        create_person(actor=OPERATOR, username="ada", role="viewer", lab=community.aurora.lab)
    for role, lab in (("operator", community.aurora.lab), ("viewer", None), ("king", None)):
        with pytest.raises(InvalidRequestError):
            create_person(actor=OPERATOR, username="bea", role=role, lab=lab)


def test_collections_are_made_with_their_grants_and_hold_the_fixed_objects(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    create_collection(actor=OPERATOR, alias="extra", title="Extra", readers=[borealis.lab], writers=[aurora.lab])
    seen = {
        lab.lab.slug: [
            (view.can_read, view.can_write) for view in visible_collections(lab.principal) if view.alias == "extra"
        ]
        for lab in community.labs
    }
    assert seen == {"aurora": [(False, True)], "borealis": [(True, False)], "cobalt": []}
    assert Tlp.GREEN.marking_id in visible(borealis.principal, "extra")
    assert find_collection(borealis.client, "extra").can_write is False
    with pytest.raises(ConflictError):
        create_collection(actor=OPERATOR, alias="extra", title="Again")
    with pytest.raises(InvalidRequestError):
        create_collection(actor=OPERATOR, alias="view", title="View", is_view=True, writers=[aurora.lab])
    everything = visible_collections(aurora.principal)
    assert [str(view.public_id) for view in everything] == sorted(str(view.public_id) for view in everything)
    assert visible(cobalt.principal) >= {lab.identity for lab in community.labs}


def test_an_open_collection_takes_what_the_agreement_does_not_name(community: Community) -> None:
    aurora = community.aurora
    create_collection(
        actor=OPERATOR, alias="feeds", title="Feeds", scope="open", readers=[aurora.lab], writers=[aurora.lab]
    )
    feeds = find_collection(aurora.principal, "feeds")
    odd = aurora.indicator(x_source="elsewhere")
    unmarked = aurora.indicator(object_marking_refs=None)
    bodies = [aurora.signed(odd), aurora.signed(unmarked)]
    assert refusal(aurora.publish(bodies[0])[0])[0] == "out-of-scope-unlisted-property"
    outcomes = publish_objects(principal=aurora.principal, bodies=bodies, collection=feeds, door="test")
    assert outcomes[0].status is OutcomeStatus.STORED
    assert refusal(outcomes[1])[0] == "unmarked"
    assert finds(aurora.principal, odd["id"])


def test_setting_a_node_up_twice_changes_nothing(community: Community) -> None:
    before = as_owner("SELECT last_seq FROM sequencer")
    again = init_node(name="node", title="Other")
    assert again.root_key is None
    assert community.node.root_key is not None
    assert as_owner("SELECT last_seq FROM sequencer") == before
    assert Collection.objects.count() == 6
