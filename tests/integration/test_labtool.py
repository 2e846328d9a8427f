"""The lab tool against the real node: what a lab publishes, the others pull exactly as far as they may, and verify."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.labtool.client import NodeClient
from exchange.labtool.errors import RefusedError
from exchange.labtool.keygen import make_identity, make_lab, save_lab
from exchange.labtool.pins import Pins, write_pins
from exchange.labtool.pulling import PullReport, pull
from exchange.labtool.revoking import revoke
from exchange.labtool.verifying import verify_paths
from exchange.services.held_keys import create_exchange_key
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from tests.support.labs import Community, LabHandle

Server = tuple[str, Community]
Pull = Callable[..., PullReport]


def pins_of(community: Community) -> Pins:
    roots = {lab.lab.slug: (lab.keys.root.kid,) for lab in community.labs}
    node_root = community.node.root_key
    assert node_root is not None
    return Pins({**roots, "node": (node_root.kid,)})


@pytest.fixture
def pull_as(exchange_server: Server, tmp_path: Path) -> Pull:
    """Pull a collection as a lab into a folder of its own."""
    url, community = exchange_server

    def run(
        lab: LabHandle, collection: str = "signatures", *, token: str | None = None, page: int = 1000
    ) -> PullReport:
        with NodeClient(url, token or lab.token) as client:
            return pull(
                client.feed(), tmp_path / lab.lab.slug, pins_of(community), collection=collection, page_objects=page
            )

    return run


def stored(tmp_path: Path, lab: LabHandle) -> set[bytes]:
    return {path.read_bytes() for path in (tmp_path / lab.lab.slug / "objects").rglob("*.json")}


def publish(url: str, lab: LabHandle, *objects: bytes) -> list[str]:
    with NodeClient(url, lab.token) as client:
        return [result.status for result in client.publish(objects)]


def test_another_lab_pulls_the_bytes_that_were_published(
    exchange_server: Server, pull_as: Pull, tmp_path: Path
) -> None:
    url, community = exchange_server
    spaced = json.dumps(json.loads(community.aurora.signed(community.aurora.indicator())), indent=2).encode()
    assert publish(url, community.aurora, spaced) == ["stored"]
    assert publish(url, community.aurora, spaced) == ["exists"]

    report = pull_as(community.borealis)

    assert report.is_clean, report.reasons
    assert spaced in stored(tmp_path, community.borealis)


def test_each_lab_pulls_exactly_what_its_label_and_recipients_allow(
    exchange_server: Server, pull_as: Pull, tmp_path: Path
) -> None:
    url, community = exchange_server
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    both = [Tlp.AMBER.marking_id, marking["id"]]
    strict = [Tlp.AMBER_STRICT.marking_id, marking["id"]]
    clear, green, amber, to_one, strict_to_one, red = (
        aurora.signed(members)
        for members in (
            aurora.indicator(Tlp.CLEAR),
            aurora.indicator(Tlp.GREEN),
            aurora.indicator(Tlp.AMBER),
            aurora.indicator(object_marking_refs=both),
            aurora.indicator(object_marking_refs=strict),
            aurora.indicator(Tlp.RED),
        )
    )
    everything = [clear, green, amber, to_one, strict_to_one, red]
    publish(url, aurora, aurora.signed(marking))
    publish(url, aurora, *everything)

    for lab in community.labs:
        assert pull_as(lab).is_clean
    seen = {lab.lab.slug: stored(tmp_path, lab).intersection(everything) for lab in community.labs}

    assert seen["borealis"] == {clear, green, amber, to_one, strict_to_one}
    assert seen["cobalt"] == {clear, green, amber}
    assert red not in seen["aurora"]
    assert cobalt.identity != borealis.identity


def test_a_client_token_pulls_no_amber_strict(exchange_server: Server, pull_as: Pull, tmp_path: Path) -> None:
    url, community = exchange_server
    aurora, borealis, _cobalt = community.labs
    amber, strict = (aurora.signed(aurora.indicator(label)) for label in (Tlp.AMBER, Tlp.AMBER_STRICT))
    publish(url, aurora, amber, strict)

    pull_as(borealis, token=borealis.client_token)

    assert amber in stored(tmp_path, borealis)
    assert strict not in stored(tmp_path, borealis)


def test_pages_and_repeated_pulls_give_every_object_once(
    exchange_server: Server, pull_as: Pull, tmp_path: Path
) -> None:
    url, community = exchange_server
    objects = [community.aurora.signed(community.aurora.indicator()) for _ in range(25)]
    publish(url, community.aurora, *objects[:15])
    first = pull_as(community.cobalt, page=4)
    publish(url, community.aurora, *objects[15:])
    second = pull_as(community.cobalt, page=4)

    assert stored(tmp_path, community.cobalt) >= set(objects)
    assert (first.is_clean, second.is_clean) == (True, True)
    assert second.received == 10


def test_a_revoked_object_leaves_the_folder_of_the_other_lab(
    exchange_server: Server, pull_as: Pull, tmp_path: Path
) -> None:
    url, community = exchange_server
    aurora = community.aurora
    members = aurora.indicator()
    original = aurora.signed(members)
    publish(url, aurora, original)
    pull_as(community.borealis)

    with NodeClient(url, aurora.token) as client:
        now = datetime.now(UTC)
        result = revoke(client, members["id"], key=aurora.keys.signing, lab_identity=None, now=now)
    report = pull_as(community.borealis)

    assert result.status == "stored"
    assert report.withdrawn == 1
    assert original not in stored(tmp_path, community.borealis)
    assert any(b'"revoked":true' in raw for raw in stored(tmp_path, community.borealis))


@pytest.mark.parametrize("fault", ["altered", "foreign", "unsigned", "unmarked"])
def test_what_the_node_refuses_is_told_with_its_pointer_and_not_stored(
    exchange_server: Server, pull_as: Pull, tmp_path: Path, fault: str
) -> None:
    url, community = exchange_server
    aurora, borealis, cobalt = community.labs
    good = aurora.signed(aurora.indicator())
    bad = {
        "altered": good.replace(b"many accounts", b"some accounts"),
        "foreign": borealis.signed(aurora.indicator()),
        "unsigned": json.dumps(aurora.indicator()).encode(),
        "unmarked": aurora.signed(aurora.indicator(None)),
    }[fault]

    with NodeClient(url, aurora.token) as client:
        results = client.publish([good, bad] if fault != "altered" else [bad])
    pull_as(cobalt)

    assert results[-1].status == "failed"
    assert results[-1].error is not None
    assert results[-1].error.code
    assert bad not in stored(tmp_path, cobalt)


def test_a_dry_run_stores_nothing(exchange_server: Server, pull_as: Pull, tmp_path: Path) -> None:
    url, community = exchange_server
    signed = community.aurora.signed(community.aurora.indicator())
    with NodeClient(url, community.aurora.token) as client:
        assert [result.status for result in client.publish([signed], dry_run=True)] == ["valid"]
        assert client.get_object(json.loads(signed)["id"]) == []


def test_who_a_token_speaks_for_and_what_it_may_see(exchange_server: Server) -> None:
    url, community = exchange_server
    with NodeClient(url, community.borealis.token) as client:
        identity = client.whoami()
        aliases = {collection.alias for collection in client.collections()}
        labs = {lab.slug for lab in client.labs()}

    assert (identity.lab, identity.identity) == ("borealis", community.borealis.identity)
    assert {"signatures", "playbooks", "attribution", "feedback", "identities", "all"} <= aliases
    assert {"aurora", "borealis", "cobalt"} <= labs


def test_a_wrong_token_is_refused(exchange_server: Server) -> None:
    url, _community = exchange_server
    with NodeClient(url, "cwt_wrong_0000000000000000") as client:
        with pytest.raises(RefusedError) as caught:
            client.whoami()
        with pytest.raises(RefusedError):
            client.feed().collections()
    assert caught.value.status == 401


def test_a_lab_whose_key_the_node_keeps_publishes_and_revokes_unsigned(exchange_server: Server, tmp_path: Path) -> None:
    url, community = exchange_server
    lab = create_lab(actor=OPERATOR, slug="ember", name="Ember", contact="https://ember.example/contact")
    root, held = SigningKey.generate("root"), create_exchange_key(actor=OPERATOR, lab=lab)
    pin_key(actor=OPERATOR, lab=lab, thumbprint=root.kid)
    identity = make_identity("Ember", root, held, "exchange", Tlp.GREEN, now=datetime.now(UTC))
    bounds = {
        "collections": ["signatures", "identities"],
        "highest_label": "TLP:GREEN",
        "networks": ["127.0.0.0/8"],
        "daily_quota": 10,
    }
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["read", "publish", "sign"], bounds=bounds).secret
    pins = Pins({**pins_of(community).by_name, "ember": (root.kid,)})
    members = {**community.aurora.indicator(), "created_by_ref": json.loads(identity)["id"]}

    with NodeClient(url, token) as client:
        sent = client.publish([identity])
        sent += client.publish([json.dumps(members).encode()], sign=True)
        sent += [revoke(client, members["id"], key=None, lab_identity=None, now=datetime.now(UTC))]
    with NodeClient(url, community.cobalt.token) as client:
        report = pull(client.feed(), tmp_path / "in", pins, collection="signatures")
    judged = [found.verdict for found in verify_paths([tmp_path / "in"], pins, now=datetime.now(UTC))]

    assert [result.status for result in sent] == ["stored"] * 3, sent
    assert report.is_clean, report.reasons
    assert [(verdict.lab, verdict.custody) for verdict in judged if verdict.id == members["id"]] == [
        ("ember", "exchange")
    ]


def test_a_new_lab_from_keygen_to_a_verified_copy_by_the_command_line(exchange_server: Server, tmp_path: Path) -> None:
    url, community = exchange_server
    dune = make_lab("Dune", contact="https://dune.example/contact", now=datetime.now(UTC))
    save_lab(dune, tmp_path / "keys")
    lab = create_lab(actor=OPERATOR, slug="dune", name="Dune", contact="https://dune.example/contact")
    pin_key(actor=OPERATOR, lab=lab, thumbprint=dune.root.kid)
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["read", "publish"]).secret
    write_pins(tmp_path / "pins.json", Pins({**pins_of(community).by_name, "dune": (dune.root.kid,)}))
    members: dict[str, Any] = {**community.aurora.indicator(), "created_by_ref": dune.identity_id}
    (tmp_path / "indicator.json").write_text(json.dumps(members))

    def commonwatch(*arguments: str, token: str = token) -> subprocess.CompletedProcess[str]:
        return run_tool(arguments, url=url, token=token, folder=tmp_path)

    published = commonwatch("publish", "keys/identity.json")
    assert published.returncode == 0, published
    signed = commonwatch("sign", "--key", "keys/signing-key.json", "indicator.json")
    (tmp_path / "signed.json").write_text(signed.stdout)
    assert commonwatch("publish", "signed.json").stdout.startswith("stored")
    pulled = commonwatch("pull", "--collection", "signatures", "--to", "in", token=community.cobalt.token)
    assert pulled.returncode == 0, pulled
    verified = commonwatch("verify", "in")
    assert verified.returncode == 0, verified
    assert members["id"] in verified.stdout
    refused = commonwatch("publish", "signed.json", token="cwt_wrong_0000000000000000")
    assert refused.returncode == 3


def run_tool(arguments: Sequence[str], *, url: str, token: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "HOME": str(folder),
        "COMMONWATCH_NODE": url,
        "COMMONWATCH_TOKEN": token,
        "COMMONWATCH_PINS": str(folder / "pins.json"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.run(
        [sys.executable, "-m", "exchange.labtool.main", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
