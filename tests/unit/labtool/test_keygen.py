"""Making labs: an identity that a pin makes believable, and files that nobody else reads."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from exchange.labtool.errors import DataError
from exchange.labtool.judging import Keyring
from exchange.labtool.key_files import identity_beside, read_exchange_key, read_key_file
from exchange.labtool.keygen import LabKeys, make_identity, make_lab, make_lab_draft, save_draft, save_lab, to_bytes
from exchange.labtool.pins import Pins
from exchange.stix.checks import check_object
from exchange.stix.extensions import Home
from exchange.stix.keys import Custody, SigningKey, Use, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from exchange.stix.signature import attach, make_entry, open_signed, sign
from tests.unit.labtool.material import NOW, indicator


def verdict_of(lab: LabKeys) -> tuple[str, str | None]:
    ring = Keyring(Pins({"lab": (lab.root.kid,)}))
    verdict = ring.judge(lab.identity_bytes, now=NOW, first_seen=NOW)
    return verdict.reason, verdict.producer


def test_a_new_lab_follows_from_its_pinned_root() -> None:
    lab = make_lab("Aurora", contact="appeals@aurora.example", now=NOW)

    assert verdict_of(lab) == ("", lab.identity_id)
    assert check_object(read_object(lab.identity_bytes)).warnings == ()


def test_a_node_whose_clock_is_behind_believes_a_new_lab() -> None:
    lab = make_lab("Aurora", now=NOW + timedelta(seconds=200))

    assert verdict_of(lab) == ("", lab.identity_id)


def test_an_identity_says_custody_home_marking_and_class() -> None:
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    home = Home(SigningKey.generate("root").kid, exclusive=True)

    members = json.loads(
        make_identity("Node", root, signing, "exchange", Tlp.CLEAR, now=NOW, identity_class="system", home=[home])
    )

    keys = members["extensions"]["extension-definition--b43f4b38-3524-4a20-bbcc-301a6f65028c"]
    assert [key.get("custody") for key in keys["jwks"]["keys"]] == [None, "exchange"]
    assert keys["home"] == [{"node": home.node, "exclusive": True}]
    assert members["identity_class"] == "system"
    assert members["object_marking_refs"] == [Tlp.CLEAR.marking_id]


def test_a_draft_is_believed_once_the_exchange_has_added_its_proof() -> None:
    held = SigningKey.generate("sig")
    public = held.public(nbf=unix_seconds(NOW), custody="exchange")
    draft = make_lab_draft("Aurora", public, now=NOW, contact="appeals@aurora.example")
    ring = Keyring(Pins({"lab": (draft.root.kid,)}))
    assert "chain-proof" in ring.judge(draft.identity_bytes, now=NOW, first_seen=NOW).reason

    signed = open_signed(read_object(draft.identity_bytes))
    assert [entry.header.kid for entry in signed.entries] == [draft.root.kid]
    completed = attach(signed.members, [*signed.entries, make_entry(signed.payload, held, signed.iat)])

    verdict = ring.judge(to_bytes(completed), now=NOW, first_seen=NOW)
    assert (verdict.reason, verdict.producer) == ("", draft.identity_id)
    assert ring.judge(sign_with(held, draft.identity_id), now=NOW, first_seen=NOW).custody == "exchange"
    assert check_object(read_object(draft.identity_bytes)).warnings == ()


def sign_with(key: SigningKey, creator: str) -> bytes:
    return to_bytes(sign(indicator(creator), key, unix_seconds(NOW)))


@pytest.mark.parametrize(("use", "custody"), [("root", "lab"), ("sig", "lab")])
def test_a_draft_lists_no_key_that_the_exchange_does_not_keep(use: Use, custody: Custody) -> None:
    key = SigningKey.generate(use).public(nbf=0, custody=custody)
    with pytest.raises(DataError, match="custody `exchange`"):
        make_lab_draft("Aurora", key, now=NOW)


def test_the_files_of_a_draft_hold_no_signing_key_and_overwrite_nothing(tmp_path: Path) -> None:
    public = SigningKey.generate("sig").public(nbf=0, custody="exchange")
    draft = make_lab_draft("Aurora", public, now=NOW)
    save_draft(draft, tmp_path / "aurora")

    assert sorted(path.name for path in (tmp_path / "aurora").iterdir()) == ["identity.json", "root-key.json"]
    assert read_key_file(tmp_path / "aurora" / "root-key.json").key.kid == draft.root.kid
    with pytest.raises(DataError, match="nothing is overwritten"):
        save_draft(draft, tmp_path / "aurora")


def test_a_public_key_is_read_and_a_private_one_refused_without_its_secret(tmp_path: Path) -> None:
    key = SigningKey.generate("sig")
    public = key.public(nbf=5, exp=9, custody="exchange")
    (tmp_path / "public.json").write_text(json.dumps(public.to_jwk(), indent=1))
    assert read_exchange_key(tmp_path / "public.json") == public

    (tmp_path / "private.json").write_text(key.to_text())
    with pytest.raises(DataError, match="key-private") as caught:
        read_exchange_key(tmp_path / "private.json")
    assert json.loads(key.to_text())["d"] not in str(caught.value)
    for content in (b"", b"[]", b"{}", b"\xff"):
        (tmp_path / "broken.json").write_bytes(content)
        with pytest.raises(DataError, match="not a public key"):
            read_exchange_key(tmp_path / "broken.json")


def test_key_files_are_for_their_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    lab = make_lab("Aurora", now=NOW)
    folder = tmp_path / "new" / "aurora"
    save_lab(lab, folder)

    for name in ("root-key.json", "signing-key.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    with pytest.raises(DataError, match="nothing is overwritten"):
        save_lab(make_lab("Aurora", now=NOW), folder)
    key_file = read_key_file(folder / "signing-key.json")
    assert key_file.key.kid == lab.signing.kid
    assert not key_file.is_exposed
    assert identity_beside(key_file) == lab.identity_id


def test_one_file_that_is_there_stops_all_three(tmp_path: Path) -> None:
    (tmp_path / "identity.json").symlink_to("/nonexistent")

    with pytest.raises(DataError):
        save_lab(make_lab("Aurora", now=NOW), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["identity.json"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff\xfe", b"{" * 5000, b'{"d": "top-secret"}', b"x" * 20_000]
)
def test_a_broken_key_file_is_refused_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)

    with pytest.raises(DataError) as caught:
        read_key_file(path)
    assert "top-secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_file_that_others_read_is_noticed(tmp_path: Path) -> None:
    save_lab(make_lab("Aurora", now=NOW), tmp_path)
    (tmp_path / "signing-key.json").chmod(0o644)

    assert read_key_file(tmp_path / "signing-key.json").is_exposed


def test_no_repr_shows_a_secret() -> None:
    lab = make_lab("Aurora", now=NOW)
    secret = json.loads(lab.signing.to_text())["d"]

    assert secret not in repr(lab)
