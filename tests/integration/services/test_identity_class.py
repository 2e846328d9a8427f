"""A lab may not look like a node: readers take withdrawals of everybody's objects from nodes."""

from __future__ import annotations

from datetime import UTC, datetime

from exchange.labtool.keygen import LabKeys, make_identity
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus
from exchange.services.tokens import issue_token
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from tests.integration.services.chains import next_identity
from tests.integration.services.views import refusal, stored_rows
from tests.support.labs import Community, LabHandle


def test_a_lab_may_not_call_itself_a_system_later(community: Community) -> None:
    before = stored_rows()

    refused = community.aurora.publish(next_identity(community.aurora, identity_class="system"))[0]

    assert refusal(refused) == ("identity-class", "/identity_class")
    assert stored_rows() == before


def test_a_lab_may_not_begin_as_a_system(community: Community) -> None:
    lab = create_lab(actor=OPERATOR, slug="dune", name="Dune", contact="https://dune.example/contact")
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    pin_key(actor=OPERATOR, lab=lab, thumbprint=root.kid)
    identity = make_identity("Dune", root, signing, "lab", Tlp.GREEN, now=datetime.now(UTC), identity_class="system")
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["publish"]).secret

    dune = LabHandle(lab, LabKeys(root, signing, "", identity), token, token)

    assert refusal(dune.publish(identity)[0]) == ("identity-class", "/identity_class")
    lab.refresh_from_db()
    assert lab.identity_id is None


def test_a_lab_goes_on_as_an_organization(community: Community) -> None:
    renamed = next_identity(community.aurora, name="Aurora Labs")

    assert community.aurora.publish(renamed)[0].status is OutcomeStatus.STORED
