"""Keys that the exchange holds sign within the bounds of a token, and every use is counted and audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings

from exchange.models import AuditEvent, KeyUse
from exchange.services.access import authenticate_token
from exchange.services.errors import AccessDeniedError, InvalidRequestError, NotAuthenticatedError, NotReadyError
from exchange.services.held_keys import create_exchange_key
from exchange.services.principals import OPERATOR, Principal
from exchange.services.publishing import Outcome, OutcomeStatus, publish_objects
from exchange.services.sealing import open_key, seal_key
from exchange.services.tokens import issue_own_token, issue_token
from exchange.stix.canonical import canonicalize
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from tests.integration.services.chains import next_identity
from tests.integration.services.views import Members, finds, refusal, seconds_now, stored_rows
from tests.support.labs import LOOPBACK, Community, LabHandle

BOUNDS = {
    "collections": ["signatures"],
    "highest_label": "TLP:AMBER",
    "networks": ["127.0.0.0/8"],
    "daily_quota": 3,
}


@dataclass(frozen=True, slots=True)
class Signer:
    lab: LabHandle
    kid: str
    secret: str

    @property
    def principal(self) -> Principal:
        return authenticate_token(self.secret, source_address=LOOPBACK)

    def publish(self, *objects: Members, dry_run: bool = False) -> list[Outcome]:
        return publish_objects(
            principal=self.principal,
            bodies=[canonicalize(members) for members in objects],
            collection=None,
            door="test",
            dry_run=dry_run,
            sign=True,
        )


@pytest.fixture
def signer(community: Community) -> Signer:
    lab = community.borealis
    key = create_exchange_key(actor=OPERATOR, lab=lab.lab)
    named = key.public(nbf=seconds_now() - 1, custody="exchange")
    outcome = lab.publish(next_identity(lab, add=[named], signers=[lab.keys.root, key]))[0]
    assert outcome.status is OutcomeStatus.STORED
    token = issue_token(actor=OPERATOR, lab=lab.lab, scopes=["publish", "sign", "read"], bounds=BOUNDS)
    return Signer(lab, key.kid, token.secret)


def test_the_exchange_signs_within_the_bounds_and_leaves_a_trace(signer: Signer, community: Community) -> None:
    members = signer.lab.indicator(Tlp.AMBER)
    outcome = signer.publish(members)[0]
    assert outcome.status is OutcomeStatus.STORED, outcome
    assert finds(community.aurora.principal, members["id"])
    event = AuditEvent.objects.get(action="key-used")
    assert (event.subject, event.detail) == (signer.kid, {"objects": [members["id"]], "dry_run": False})
    assert event.actor == f"token:{signer.secret[:12]}"
    assert KeyUse.objects.get().used == 1


def test_what_is_out_of_bounds_is_not_signed_and_not_counted(signer: Signer) -> None:
    lab = signer.lab
    before = stored_rows()
    outcomes = signer.publish(
        lab.indicator(Tlp.RED), lab.address("203.0.113.20"), lab.indicator(object_marking_refs=None, x_secret="x")
    )
    assert refusal(outcomes[0]) == ("label-above-bound", "/object_marking_refs")
    assert refusal(outcomes[1])[0] in {"sign-collection", "no-home"}
    assert refusal(outcomes[2])[0] == "out-of-scope-unlisted-property"
    assert stored_rows() == before
    assert not KeyUse.objects.exists()
    assert not AuditEvent.objects.filter(action="key-used").exists()


def test_the_quota_of_a_day_holds_for_the_request_as_a_whole(signer: Signer) -> None:
    lab = signer.lab
    assert [each.status for each in signer.publish(lab.indicator(), lab.indicator())] == [OutcomeStatus.STORED] * 2
    before = stored_rows()
    with pytest.raises(AccessDeniedError) as caught:
        signer.publish(lab.indicator(), lab.indicator())
    assert caught.value.code == "sign-quota"
    assert stored_rows() == before
    assert KeyUse.objects.get().used == 2
    assert [each.status for each in signer.publish(lab.indicator(), dry_run=True)] == [OutcomeStatus.VALID]
    assert KeyUse.objects.get().used == 2
    assert signer.publish(lab.indicator())[0].status is OutcomeStatus.STORED
    assert AuditEvent.objects.filter(action="key-used", detail__dry_run=False).count() == 2
    assert AuditEvent.objects.filter(action="key-used", detail__dry_run=True).count() == 1


def test_signing_needs_its_scope_its_network_and_a_key(signer: Signer, community: Community) -> None:
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(signer.secret, source_address="192.0.2.1")
    assert authenticate_token(signer.secret, source_address="::ffff:127.0.0.1").token_prefix
    body = canonicalize(signer.lab.indicator())
    asked: dict[str, Any] = {"bodies": [body], "collection": None, "door": "test", "sign": True}
    with pytest.raises(AccessDeniedError) as caught:
        publish_objects(principal=signer.lab.principal, **asked)
    assert caught.value.code == "scope-missing"
    keyless = issue_token(actor=OPERATOR, lab=community.cobalt.lab, scopes=["publish", "sign"], bounds=BOUNDS)
    with pytest.raises(Exception, match="holds no valid key"):
        publish_objects(principal=authenticate_token(keyless.secret, source_address=LOOPBACK), **asked)


def test_the_exchange_signs_no_identity_with_keys(signer: Signer) -> None:
    before = stored_rows()
    outcome = publish_objects(
        principal=signer.principal, bodies=[next_identity(signer.lab)], collection=None, door="test", sign=True
    )[0]
    assert refusal(outcome)[0] in {"sign-collection", "signature-key-use", "no-home"}
    assert stored_rows() == before


def test_a_token_that_signs_is_bound_in_every_way_and_hands_nothing_on(signer: Signer) -> None:
    for missing in BOUNDS:
        bounds = {name: value for name, value in BOUNDS.items() if name != missing}
        with pytest.raises(InvalidRequestError, match=missing):
            issue_token(actor=OPERATOR, lab=signer.lab.lab, scopes=["sign"], bounds=bounds)
    with pytest.raises(AccessDeniedError, match="only operators"):
        issue_own_token(principal=signer.principal, scopes=["sign"])


def test_sealed_keys_open_under_every_sealing_key_and_under_no_other(signer: Signer) -> None:
    old, new = settings.SEALING_KEYS[0], "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    key = SigningKey.generate("sig")
    sealed = seal_key(key)
    try:
        settings.SEALING_KEYS = [new, old]
        assert open_key(sealed, key.kid).kid == key.kid, "what an older key sealed still opens"
        resealed = seal_key(key)
        assert signer.publish(signer.lab.indicator())[0].status is OutcomeStatus.STORED
        settings.SEALING_KEYS = [new]
        assert open_key(resealed, key.kid).to_text() == key.to_text(), "the first one seals"
        for wrong, kid in ((sealed, key.kid), (resealed, "another")):
            with pytest.raises(NotReadyError) as caught:
                open_key(wrong, kid)
            assert caught.value.code == "sealing"
        with pytest.raises(NotReadyError):
            signer.publish(signer.lab.indicator())
        for none in ([], ["short"]):
            settings.SEALING_KEYS = none
            with pytest.raises(NotReadyError):
                seal_key(key)
    finally:
        settings.SEALING_KEYS = [old]
