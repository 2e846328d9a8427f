"""Key chains through publishing: what extends one, what breaks it, and what the end of a key means."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from exchange.labtool.keygen import make_lab
from exchange.models import AuditEvent, Lab, Leaf, Pin, SigningKey
from exchange.services.database import writing
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError
from exchange.services.held_keys import create_exchange_key, open_held_key
from exchange.services.keys import find_keys, keys_of, pin_key
from exchange.services.labs import create_lab
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus
from exchange.services.tokens import issue_token
from exchange.stix import keys as stix_keys
from exchange.stix.markings import Tlp
from tests.integration.services.chains import new_signing_key, newest_identity, next_identity
from tests.integration.services.views import as_owner, finds, marked, page_of, refusal, seconds_now, store, stored_rows
from tests.support.labs import Community, LabHandle


def with_key(lab: LabHandle, key: stix_keys.SigningKey) -> LabHandle:
    """The lab, signing with another key."""
    return replace(lab, keys=replace(lab.keys, signing=key))


def clear_leaves(operation: str) -> int:
    with writing():
        return Leaf.objects.filter(operation=operation, salt=None).count()


def test_a_new_key_is_taken_with_its_proof_logged_in_clear_and_signs_from_then_on(community: Community) -> None:
    aurora = community.aurora
    key, public = new_signing_key()
    leaves = clear_leaves("key-added")
    assert refusal(aurora.publish(with_key(aurora, key).signed(aurora.indicator()))[0])[0] == "signature-key-unknown"
    extended = next_identity(aurora, add=[public], signers=[aurora.keys.root, key])
    both = [extended, with_key(aurora, key).signed(aurora.indicator())]
    assert [each.status for each in aurora.publish(*both)] == [OutcomeStatus.STORED] * 2
    assert clear_leaves("key-added") == leaves + 1
    assert AuditEvent.objects.filter(action="key-added", detail__kid=key.kid).count() == 1
    assert {each.kid for each in keys_of(aurora.lab)} == {aurora.keys.root.kid, aurora.keys.signing.kid, key.kid}
    store(aurora, aurora.indicator())
    before = stored_rows()
    assert aurora.publish(extended, aurora.keys.identity_bytes)[0].status is OutcomeStatus.EXISTS
    assert stored_rows() == before


def test_broken_chains_are_refused_and_leave_nothing_but_word_for_the_operators(community: Community) -> None:
    aurora, borealis, _ = community.labs
    key, public = new_signing_key()
    root = stix_keys.SigningKey.generate("root")
    cases = {
        "chain-proof": next_identity(aurora, add=[public]),
        "chain-not-root": next_identity(aurora, add=[public], signers=[root, key]),
        "chain-outside": next_identity(aurora, add=[root.public(nbf=seconds_now() - 60)], signers=[root]),
        "chain-foreign-key": next_identity(
            aurora,
            add=[borealis.keys.signing.public(nbf=seconds_now())],
            signers=[aurora.keys.root, borealis.keys.signing],
        ),
        "foreign-identity": next_identity(borealis),
        "chain-conflict": next_identity(aurora, modified=newest_identity(aurora)["modified"], name="Other"),
    }
    before = stored_rows()
    for code, body in cases.items():
        assert refusal(aurora.publish(body)[0])[0] == code
    assert stored_rows() == before
    assert finds(borealis.principal, aurora.identity)


def test_an_unpinned_root_is_refused_whoever_brings_it(community: Community) -> None:
    lab = create_lab(actor=OPERATOR, slug="dune", name="Dune")
    keys = make_lab("Dune", now=datetime.now(UTC))
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["publish"]).secret
    dune = LabHandle(lab, keys, token, token)
    before = stored_rows()
    outcomes = dune.publish(keys.identity_bytes, dune.signed(dune.indicator()))
    assert refusal(outcomes[0])[0] == "chain-unpinned"
    assert refusal(outcomes[1])[0] == "signature-key-unknown"
    assert stored_rows() == before
    assert Lab.objects.get(pk=lab.pk).identity_id is None
    pin_key(actor=OPERATOR, lab=lab, thumbprint=keys.root.kid)
    both = dune.publish(keys.identity_bytes, dune.signed(dune.indicator()))
    assert [each.status for each in both] == [OutcomeStatus.STORED] * 2


def test_a_pin_is_for_one_lab_and_is_a_thumbprint(community: Community) -> None:
    aurora, borealis, _ = community.labs
    pin_key(actor=OPERATOR, lab=aurora.lab, thumbprint=aurora.keys.root.kid)
    assert Pin.objects.filter(lab=aurora.lab).count() == 1
    with pytest.raises(ConflictError):
        pin_key(actor=OPERATOR, lab=borealis.lab, thumbprint=aurora.keys.root.kid)
    with pytest.raises(InvalidRequestError) as caught:
        pin_key(actor=OPERATOR, lab=borealis.lab, thumbprint="short")
    assert caught.value.pointer == "/thumbprint"


def test_an_identity_waits_for_no_marking_and_has_no_recipients(community: Community) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    before = stored_rows()
    assert refusal(aurora.publish(next_identity(aurora, object_marking_refs=refs))[0])[0] == "identity-marking"
    assert stored_rows() == before


@pytest.mark.parametrize("terms", [{"exp": 0}, {"revoked_at": 0}])
def test_what_was_accepted_stays_accepted_when_its_key_ends_and_nothing_new_comes(
    community: Community, terms: dict[str, int]
) -> None:
    aurora, borealis, _ = community.labs
    members = aurora.indicator()
    body, news, other = (aurora.signed(each) for each in (members, aurora.indicator(), {**members, "name": "Other"}))
    store(aurora, members)
    end = seconds_now() + 1
    change = {aurora.keys.signing.kid: dict.fromkeys(terms, end)}
    assert aurora.publish(next_identity(aurora, change=change))[0].status is OutcomeStatus.STORED
    while time.time() < end:
        time.sleep(0.05)
    outcomes = aurora.publish(body, news, other)
    assert outcomes[0].status is OutcomeStatus.EXISTS
    code = "signature-key-expired" if "exp" in terms else "signature-key-revoked"
    assert [refusal(each)[0] for each in outcomes[1:]] == [code] * 2
    assert finds(borealis.principal, members["id"])
    assert AuditEvent.objects.filter(action="key-revoked").count() == ("revoked_at" in terms)


def test_the_end_of_a_key_is_sticky(community: Community) -> None:
    aurora = community.aurora
    kid = aurora.keys.signing.kid
    key, public = new_signing_key()
    end = seconds_now()
    ended = next_identity(aurora, add=[public], signers=[aurora.keys.root, key], change={kid: {"revoked_at": end}})
    assert aurora.publish(ended)[0].status is OutcomeStatus.STORED
    alive = next_identity(aurora)
    members: dict[str, Any] = newest_identity(aurora)
    assert members["id"] == aurora.identity
    assert aurora.publish(alive)[0].status is OutcomeStatus.STORED
    assert find_keys([kid])[kid].key.revoked_at == end
    assert refusal(aurora.publish(aurora.signed(aurora.indicator()))[0])[0] == "signature-key-revoked"


def test_a_key_that_the_exchange_holds_is_sealed_and_useless_until_the_identity_names_it(
    community: Community,
) -> None:
    aurora = community.aurora
    key = create_exchange_key(actor=OPERATOR, lab=aurora.lab)
    row = SigningKey.objects.get(kid=key.kid)
    secret = key.to_text().split('"d": "')[1][:20].encode()
    assert row.sealed is not None
    assert secret not in bytes(row.sealed)
    with pytest.raises(NotFoundError):
        open_held_key(aurora.lab.id, datetime.now(UTC))
    public = key.public(nbf=seconds_now() - 1, custody="exchange")
    assert aurora.publish(next_identity(aurora, add=[public], signers=[aurora.keys.root, key]))[0].error is None
    assert open_held_key(aurora.lab.id, datetime.now(UTC)).kid == key.kid
    assert as_owner("SELECT custody, sealed IS NOT NULL FROM signing_key WHERE kid = %s", key.kid) == [
        ("exchange", True)
    ]


def test_custody_is_shown_to_readers(community: Community) -> None:
    aurora = community.aurora
    key = create_exchange_key(actor=OPERATOR, lab=aurora.lab)
    public = key.public(nbf=seconds_now() - 1, custody="exchange")
    assert aurora.publish(next_identity(aurora, add=[public], signers=[aurora.keys.root, key]))[0].error is None
    by_exchange, by_lab = marked(aurora, Tlp.GREEN), marked(aurora, Tlp.GREEN)
    store(with_key(aurora, key), by_exchange)
    store(aurora, by_lab)
    found = page_of(community.borealis.principal, ids=(by_exchange["id"], by_lab["id"])).entries
    assert [entry.custody for entry in found] == ["exchange", "lab"]
