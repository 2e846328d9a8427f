"""The lab tool's draft of an identity and the node's proof make an identity that readers believe."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from exchange.labtool.judging import Keyring
from exchange.labtool.key_files import read_exchange_key
from exchange.labtool.keygen import LabKeys, make_lab_draft
from exchange.labtool.pins import Pins
from exchange.services.held_keys import countersign_identity, create_exchange_key, public_part
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus
from exchange.services.tokens import issue_token
from tests.integration.services.views import refusal
from tests.support.labs import Community, LabHandle


def test_a_draft_of_the_lab_tool_is_published_once_the_node_has_added_its_proof(
    community: Community, tmp_path: Path
) -> None:
    assert community.node
    moment = datetime.now(UTC)
    lab = create_lab(actor=OPERATOR, slug="dune", name="Dune", contact="https://dune.example/contact")
    held = create_exchange_key(actor=OPERATOR, lab=lab)
    (tmp_path / "exchange-key.json").write_text(json.dumps(public_part(held, moment).to_jwk()))
    draft = make_lab_draft("Dune", read_exchange_key(tmp_path / "exchange-key.json"), now=moment)
    pin_key(actor=OPERATOR, lab=lab, thumbprint=draft.root.kid)
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["publish"]).secret
    dune = LabHandle(lab, LabKeys(draft.root, held, draft.identity_id, draft.identity_bytes), token, token)
    assert refusal(dune.publish(draft.identity_bytes)[0])[0] == "chain-proof"

    finished = countersign_identity(actor=OPERATOR, lab=lab, draft=draft.identity_bytes)

    assert dune.publish(finished)[0].status is OutcomeStatus.STORED
    ring = Keyring(Pins({"dune": (draft.root.kid,)}))
    now = datetime.now(UTC)
    assert ring.judge(finished, now=now, first_seen=now).producer == draft.identity_id
    verdict = ring.judge(dune.signed(dune.indicator()), now=now, first_seen=now)
    assert (verdict.reason, verdict.custody) == ("", "exchange")
