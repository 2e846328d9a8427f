"""The command line as a user meets it: answers, one-line errors and exit codes, against a node on a socket."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exchange.labtool.client import batches
from exchange.labtool.keygen import save_lab
from exchange.labtool.main import main
from exchange.labtool.pins import write_pins
from exchange.stix.keys import SigningKey
from tests.unit.labtool.material import Party, indicator, pins_of
from tests.unit.labtool.small_node import TOKEN, Answer, SmallNode

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(
    tmp_path: Path, node: SmallNode, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Run:
    """Run a command line; answers with code, out and err."""
    for name in ("NODE", "TOKEN", "TOKEN_FILE", "PINS", "CONFIG"):
        monkeypatch.delenv(f"COMMONWATCH_{name}", raising=False)
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("COMMONWATCH_NODE", node.url)
    monkeypatch.setenv("COMMONWATCH_TOKEN_FILE", str(token_file))
    monkeypatch.setenv("COMMONWATCH_PINS", str(tmp_path / "pins.json"))

    def call(*arguments: str, stdin: bytes = b"") -> SimpleNamespace:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(str(end.code))
        sys.stdout.flush()
        sys.stderr.flush()
        captured = capfdbinary.readouterr()
        out, err = captured.out.decode(), captured.err.decode()
        assert TOKEN not in out + err
        assert "Traceback" not in err
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture
def lab(tmp_path: Path, aurora: Party) -> Path:
    """The folder of aurora's keys; aurora is pinned."""
    save_lab(aurora.keys, tmp_path / "aurora")
    write_pins(tmp_path / "pins.json", aurora.pins)
    return tmp_path / "aurora"


def test_with_a_key_that_the_exchange_keeps_the_next_step_is_told(run: Run, tmp_path: Path) -> None:
    public = SigningKey.generate("sig").public(nbf=0, custody="exchange")
    (tmp_path / "exchange.json").write_text(json.dumps(public.to_jwk()))
    call = ("keygen", "--lab", "Aurora", "--to", str(tmp_path / "a"), "--exchange-key", str(tmp_path / "exchange.json"))

    made = run(*call)

    assert (made.code, made.err) == (0, "")
    assert public.kid in made.out
    assert f"countersign_identity LAB {tmp_path}/a/identity.json" in made.out
    assert not (tmp_path / "a" / "signing-key.json").exists()
    assert run(*call).code == 1


def test_from_new_keys_to_a_verified_copy(run: Run, node: SmallNode, tmp_path: Path) -> None:
    made = json.loads(run("keygen", "--json", "--lab", "Aurora", "--to", str(tmp_path / "a")).out)
    assert run("trust", "aurora", made["root_thumbprint"]).code == 0
    unsigned = json.dumps([indicator(made["identity"], created="2026-11-22T00:00:00Z")]).encode()

    refused = run("sign", "--key", str(tmp_path / "a/signing-key.json"), stdin=unsigned)
    assert refused.code == 1
    assert refused.out == ""
    assert "/created" in refused.err

    signed = run("sign", "--normalise", "--key", str(tmp_path / "a/signing-key.json"), stdin=unsigned)
    assert (signed.code, signed.err) == (0, "")
    (tmp_path / "signed.json").write_text(signed.out)

    published = run("publish", str(tmp_path / "a/identity.json"), "--collection", "identities")
    assert published.code == 0
    published = run("publish", "-", stdin=signed.out.encode())
    assert published.out.startswith("stored  indicator--")

    pulled = run("pull", "--collection", "signatures", "--to", str(tmp_path / "in"))
    assert pulled.code == 0, pulled
    assert "2 verified" in pulled.out

    verified = run("verify", str(tmp_path / "in"))
    assert verified.code == 0
    assert [line.split()[0] for line in verified.out.splitlines()] == ["ok", "ok"]
    assert "aurora" in verified.out
    assert "custody:lab" in verified.out


def test_a_thumbprint_that_begins_with_a_hyphen_can_be_pinned(run: Run, tmp_path: Path) -> None:
    thumbprint = "-" + "A" * 42

    assert run("trust", "aurora", thumbprint).code == 0
    assert json.loads((tmp_path / "pins.json").read_text()) == {"aurora": [thumbprint]}


@pytest.mark.parametrize(
    ("lab_name", "thumbprint"), [("aurora", "short"), ("../x", "A" * 43), ("", "A" * 43), ("aurora", "A" * 42 + "=")]
)
def test_a_pin_of_the_wrong_form_is_refused(run: Run, tmp_path: Path, lab_name: str, thumbprint: str) -> None:
    assert run("trust", lab_name, thumbprint).code == 2
    assert not (tmp_path / "pins.json").exists()


def test_a_root_is_pinned_under_one_name(run: Run) -> None:
    assert run("trust", "aurora", "A" * 43).code == 0
    assert run("trust", "aurora", "A" * 43).code == 0
    assert "already pinned" in run("trust", "borealis", "A" * 43).err


def test_what_the_form_of_the_input_was_the_output_is(run: Run, lab: Path, aurora: Party) -> None:
    one = indicator(aurora.id)
    key = str(lab / "signing-key.json")

    single = json.loads(run("sign", "--key", key, stdin=json.dumps(one).encode()).out)
    listed = json.loads(run("sign", "--key", key, stdin=json.dumps([one]).encode()).out)
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [one]}
    bundled = json.loads(run("sign", "--key", key, stdin=json.dumps(bundle).encode()).out)

    assert single["id"] == listed[0]["id"] == bundled["objects"][0]["id"] == one["id"]
    assert bundled["id"] == "bundle--1"


def test_the_identity_beside_the_key_keeps_foreign_objects_out(run: Run, lab: Path, borealis: Party) -> None:
    answer = run("sign", "--key", str(lab / "signing-key.json"), stdin=json.dumps(indicator(borealis.id)).encode())

    assert answer.code == 1
    assert "/created_by_ref" in answer.err


def test_a_key_that_others_can_read_is_warned_of(run: Run, lab: Path, aurora: Party) -> None:
    (lab / "signing-key.json").chmod(0o644)

    answer = run("sign", "--key", str(lab / "signing-key.json"), stdin=json.dumps(indicator(aurora.id)).encode())

    assert answer.code == 0
    assert "chmod 600" in answer.err


def test_publishing_says_what_became_of_each_object(run: Run, node: SmallNode, aurora: Party, tmp_path: Path) -> None:
    good, bad = aurora.indicator(name="good"), aurora.indicator(name="bad")

    def judge(member: dict[str, Any]) -> dict[str, Any]:
        if member["name"] == "good":
            return {"warnings": [{"code": "vocabulary", "pointer": "/x", "detail": "odd \u001b[2J"}]}
        return {"status": "failed", "error": {"code": "scope", "pointer": "/name", "detail": "out of scope"}}

    node.publish_status = judge
    (tmp_path / "x.json").write_bytes(b"[" + good + b"," + bad + b"]")

    answer = run("publish", str(tmp_path / "x.json"))
    as_json = json.loads(run("publish", "--json", str(tmp_path / "x.json")).out)

    assert answer.code == 1
    assert "/name: out of scope [scope]" in answer.out
    assert "\x1b" not in answer.out
    assert [result["status"] for result in as_json["results"]] == ["stored", "failed"]


def test_the_bytes_published_are_the_bytes_given(run: Run, node: SmallNode, aurora: Party) -> None:
    spaced = json.dumps(json.loads(aurora.indicator()), indent=2).encode()

    run("publish", "-", "--dry-run", "--sign", "--collection", "signatures", stdin=spaced)

    assert node.requests[-1].body == b"[" + spaced + b"]"
    assert node.requests[-1].query == {"dry_run": ["true"], "sign": ["true"], "collection": ["signatures"]}


def test_when_all_fail_each_is_told_with_its_pointer(run: Run, node: SmallNode, aurora: Party) -> None:
    problem = {
        "type": "urn:commonwatch:problem:objects-refused",
        "title": "Refused",
        "status": 422,
        "detail": "No object was accepted.",
        "errors": [{"index": 1, "id": "x--1", "code": "pattern", "pointer": "/pattern", "detail": "no pattern"}],
    }
    node.answers["/api/v1/objects/"] = Answer(422, json.dumps(problem).encode())

    answer = run("publish", "-", stdin=b"[" + aurora.indicator() + b"," + aurora.indicator() + b"]")

    assert answer.code == 1
    lines = answer.out.splitlines()
    assert "No object was accepted" in lines[0]
    assert "/pattern: no pattern" in lines[1]


@pytest.mark.parametrize(("status", "code"), [(400, 1), (401, 3), (403, 3), (404, 3), (413, 1), (422, 1), (418, 3)])
def test_refusals_of_the_whole_request(run: Run, node: SmallNode, aurora: Party, status: int, code: int) -> None:
    node.answers["/api/v1/objects/"] = Answer(status, b'{"title": "No", "detail": "because"}')

    answer = run("publish", "-", stdin=aurora.indicator())

    assert answer.code == code
    assert "because" in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"results": 5}', b'{"results": []}', b"[" * 100_000])
def test_a_node_that_answers_nonsense_is_one_line(run: Run, node: SmallNode, aurora: Party, body: bytes) -> None:
    node.answers["/api/v1/objects/"] = Answer(201, body)

    answer = run("publish", "-", stdin=aurora.indicator())

    assert answer.code == 3
    assert answer.err.count("\n") == 1


def test_revoking_publishes_a_later_signed_version(run: Run, node: SmallNode, lab: Path, aurora: Party) -> None:
    members = indicator(aurora.id, modified="2999-01-01T00:00:00.000Z")
    node.add("signatures", aurora.sign(members))

    answer = run("revoke", members["id"], "--key", str(lab / "signing-key.json"))

    assert answer.code == 0, answer
    published = json.loads(node.objects[-1].raw)
    assert published["revoked"] is True
    assert published["modified"] == "2999-01-01T00:00:00.001Z"
    assert published["created"] == members["created"]
    assert node.requests[-1].query == {"collection": ["signatures"]}


def test_the_node_can_sign_a_revocation(run: Run, node: SmallNode, aurora: Party) -> None:
    members = indicator(aurora.id)
    node.whoami["identity"] = aurora.id
    node.add("signatures", aurora.sign(members))

    assert run("revoke", members["id"], "--sign").code == 0
    assert "extensions" not in json.loads(node.objects[-1].raw)
    assert node.requests[-1].query["sign"] == ["true"]


def test_what_cannot_be_revoked_says_why(run: Run, node: SmallNode, lab: Path, aurora: Party, borealis: Party) -> None:
    key = str(lab / "signing-key.json")
    theirs, done = indicator(borealis.id), indicator(aurora.id, revoked=True)
    node.add("signatures", borealis.sign(theirs), aurora.sign(done))

    assert "no " in run("revoke", theirs["id"], "--key", key).err
    assert "revoked already" in run("revoke", done["id"], "--key", key).err
    assert "not an object id" in run("revoke", "../whoami", "--key", key).err
    assert run("revoke", "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01", "--key", key).code == 1


def test_verify_says_what_is_wrong_with_each_object(
    run: Run, lab: Path, tmp_path: Path, aurora: Party, borealis: Party
) -> None:
    (tmp_path / "mixed.json").write_bytes(
        b"[" + b",".join([aurora.identity, aurora.indicator(), borealis.indicator()]) + b"]"
    )
    (tmp_path / "broken.json").write_bytes(b"{")

    answer = run("verify", "--json", str(tmp_path / "mixed.json"), str(tmp_path / "broken.json"))

    found = [json.loads(line) for line in answer.out.splitlines()]
    assert answer.code == 1
    assert [entry["ok"] for entry in found] == [True, True, False, False]
    assert [entry["lab"] for entry in found] == ["aurora", "aurora", None, None]
    assert found[1]["kid"] == aurora.keys.signing.kid
    assert "key-not-pinned" in found[2]["reason"]


def test_verify_judges_by_when_a_pull_first_saw_the_object(
    run: Run, node: SmallNode, lab: Path, tmp_path: Path, aurora: Party
) -> None:
    node.add("identities", aurora.identity)
    node.add("signatures", aurora.indicator())
    run("pull", "--collection", "signatures", "--to", str(tmp_path / "in"))
    loose = next((tmp_path / "in" / "objects").rglob("indicator--*/*.json")).read_bytes()
    (tmp_path / "loose.json").write_bytes(b"[" + aurora.identity + b"," + loose + b"]")

    assert run("verify", str(tmp_path / "in")).code == 0
    early = run("verify", "--seen-at", "2020-01-01T00:00:00Z", str(tmp_path / "loose.json"))
    assert early.code == 1
    assert run("verify", "--seen-at", "2020-01-01T00:00:00Z", str(tmp_path / "in")).code == 0
    assert run("verify", "--seen-at", "yesterday", str(tmp_path / "in")).code == 2


def test_pulling_what_fails_ends_with_one(
    run: Run, node: SmallNode, lab: Path, tmp_path: Path, borealis: Party
) -> None:
    node.add("signatures", borealis.indicator(), b'{"id": "\\u001b[2J"}')

    answer = run("pull", "--collection", "signatures", "--to", str(tmp_path / "in"))

    assert answer.code == 1
    assert "2 in quarantine" in answer.out
    assert "\x1b" not in answer.out
    assert run("verify", str(tmp_path / "in")).code == 1  # there is nothing to verify
    assert run("verify", str(tmp_path / "in" / "quarantine")).code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("nonsense",), 2),
        (("pull",), 2),
        (("--node", "http://exchange.example", "pull", "--collection", "x", "--to", "in"), 2),
        (("pull", "--collection", "x", "--to", "in", "--page-objects", "0"), 2),
        (("--timeout", "soon", "verify", "."), 2),
        (("keygen", "--lab", "x", "--to", "k", "--home", "short"), 2),
        (("verify", "no-such-file"), 1),
        (("publish", "no-such-file"), 1),
        (("sign", "--key", "no-such-key"), 1),
        (("--node", "http://127.0.0.1:9", "revoke", "note--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01", "--sign"), 3),
        (("--token", "wrong", "publish", "-"), 3),
    ],
)
def test_exit_codes(
    run: Run, lab: Path, aurora: Party, monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], code: int
) -> None:
    monkeypatch.setattr("exchange.labtool.transport.FIRST_PAUSE_S", 0.0)

    answer = run(*arguments, stdin=aurora.indicator())

    assert answer.code == code, answer
    assert answer.err


def test_publications_are_cut_into_requests_of_bounded_size() -> None:
    small, large = b"x" * 10, b"x" * 3_000_000

    assert [len(batch) for batch in batches([small] * 1200)] == [500, 500, 200]
    assert [len(batch) for batch in batches([large, large, small, small])] == [1, 3]
    assert list(batches([])) == []


def test_the_tool_knows_no_django(tmp_path: Path) -> None:
    code = "import exchange.labtool.main, sys; sys.exit(any(name.split('.')[0] == 'django' for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], env={**os.environ}, check=False).returncode == 0


def test_other_labs_can_be_pinned_together(run: Run, tmp_path: Path, aurora: Party, borealis: Party) -> None:
    for one in (aurora, borealis):
        run("trust", one.name, one.keys.root.kid)

    expected = {name: list(roots) for name, roots in pins_of(aurora, borealis).by_name.items()}
    assert json.loads((tmp_path / "pins.json").read_text()) == expected
