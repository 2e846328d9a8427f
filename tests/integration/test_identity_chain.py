"""An identity version outside its chain waits for two operators."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from exchange.labtool.keygen import make_identity, make_lab
from exchange.models import AuditEvent
from exchange.services.access import authenticate_token
from exchange.services.keys import approve_identity, pin_key
from exchange.services.labs import create_lab, create_person
from exchange.services.principals import OPERATOR
from exchange.services.publishing import Outcome, OutcomeStatus, publish_objects
from exchange.services.tokens import issue_token
from exchange.stix.canonical import canonicalize
from exchange.stix.keys import SigningKey, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from exchange.stix.signature import payload_digest, sign_identity
from tests.support.labs import LOOPBACK, Community, LabHandle


def identity_under_a_new_root(lab: LabHandle) -> bytes:
    """What a lab publishes that has lost its root key: the same identity, with other keys."""
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    soon = datetime.now(UTC) + timedelta(milliseconds=5)
    made = make_identity("Aurora", root, signing, "lab", Tlp.GREEN, now=soon, identity_id=lab.identity)
    members = dict(read_object(made).members)
    members["created"] = read_object(lab.keys.identity_bytes).members["created"]
    return canonicalize(sign_identity(members, [root, signing], unix_seconds(soon)))


def test_a_version_outside_the_chain_is_taken_after_two_operators_approved_it(community: Community) -> None:
    aurora = community.aurora
    lost_everything = identity_under_a_new_root(aurora)
    first = aurora.publish(lost_everything)[0]
    assert first.status is OutcomeStatus.FAILED
    assert first.error is not None
    assert first.error.code == "chain-outside"
    refused = AuditEvent.objects.get(action="identity-refused")
    digest = payload_digest(read_object(lost_everything).members)
    assert refused.detail["payload_sha256"] == digest

    operators = [create_person(actor=OPERATOR, username=f"op-{uuid.uuid4()}", role="operator").person for _ in "ab"]
    assert approve_identity(operator=operators[0], lab=aurora.lab, payload_sha256=digest) == 1
    assert approve_identity(operator=operators[0], lab=aurora.lab, payload_sha256=digest) == 1
    assert aurora.publish(lost_everything)[0].status is OutcomeStatus.FAILED
    assert approve_identity(operator=operators[1], lab=aurora.lab, payload_sha256=digest) == 2
    outcome = aurora.publish(lost_everything)[0]
    assert outcome.status is OutcomeStatus.STORED


def test_an_id_that_objects_name_already_is_taken_by_a_new_lab_only_with_two_operators_word(
    community: Community,
) -> None:
    aurora = community.aurora
    newcomer = make_lab("Delta", now=datetime.now(UTC))
    marking = aurora.distribution(newcomer.identity_id)
    for_delta = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    assert {each.status for each in aurora.publish(aurora.signed(marking), aurora.signed(for_delta))} == {"stored"}

    lab = create_lab(actor=OPERATOR, slug="delta", name="Delta")
    pin_key(actor=OPERATOR, lab=lab, thumbprint=newcomer.root.kid)
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["read", "publish"]).secret
    principal = authenticate_token(token, source_address=LOOPBACK)

    def publish() -> Outcome:
        bodies = [newcomer.identity_bytes]
        return publish_objects(principal=principal, bodies=bodies, collection=None, door="test")[0]

    error = publish().error
    assert error is not None
    assert error.code == "identity-named"
    digest = payload_digest(read_object(newcomer.identity_bytes).members)
    for name in ("op-one", "op-two"):
        operator = create_person(actor=OPERATOR, username=name, role="operator").person
        approve_identity(operator=operator, lab=lab, payload_sha256=digest)
    assert publish().status is OutcomeStatus.STORED
