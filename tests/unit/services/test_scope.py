"""The scope guard: what the agreement lets pass, and what it refuses by which rule."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from exchange.services.errors import OutOfScopeError
from exchange.services.scope import Payload, RuleFields, check_scope
from exchange.services.scope_agreement import SCOPE_FILE, agreement
from exchange.stix import extension_ids

LAB = "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a20"
UUID = "0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a01"
Members = dict[str, Any]


def indicator(**changes: Any) -> Members:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{UUID}",
        "created_by_ref": LAB,
        "created": "2026-11-01T00:00:00.000Z",
        "modified": "2026-11-01T00:00:00.000Z",
        "name": "Relay addresses",
        "pattern": "[ipv4-addr:value = '192.0.2.10']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
        "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
        **changes,
    }


def of_type(kind: str, **members: Any) -> Members:
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{UUID}", **members}


def identity(**changes: Any) -> Members:
    keys = {extension_ids.KEYS_EXTENSION: {"extension_type": "property-extension"}}
    return of_type("identity", **{"name": "Lab", "identity_class": "organization", "extensions": keys, **changes})


def sigma(**parts: Any) -> Payload:
    return Payload(**{"pointer": "/pattern", "kind": "sigma", "label": None, "texts": (), **parts})


def playbook(*texts: tuple[str, str]) -> Payload:
    return Payload(pointer="/extensions/x/playbook_bin", kind="cacao", label=None, texts=texts)


def refusal(members: Members, *payloads: Payload) -> tuple[str, str]:
    with pytest.raises(OutOfScopeError) as caught:
        check_scope(members, payloads)
    return caught.value.rule, caught.value.pointer


@pytest.mark.parametrize(
    ("members", "rule", "pointer"),
    [
        (of_type("malware", name="x"), "unlisted-type", "/type"),
        (of_type("location", country="XX"), "origin-alone", "/type"),
        (of_type("artifact", mime_type="application/zip"), "model-or-training-data", "/type"),
        (of_type("file", name="weights.bin"), "model-or-training-data", "/type"),
        (of_type("email-addr", value="a@example.com"), "account-identifier", "/type"),
        (indicator(x_prompt="say it"), "unlisted-property", "/x_prompt"),
        (indicator(pattern_type="yara"), "unlisted-language", "/pattern_type"),
        (indicator(name="x" * 301), "text-too-long", "/name"),
        (indicator(labels=["fine", "x" * 101]), "text-too-long", "/labels/1"),
        (indicator(created="x" * 300), "text-too-long", "/created"),
        (indicator(name={"deep": 1}), "unlisted-property", "/name"),
        (indicator(labels=[["nested"]]), "unlisted-property", "/labels/0"),
        (
            indicator(extensions={"extension-definition--x": {}}),
            "unlisted-extension",
            "/extensions/extension-definition--x",
        ),
        (
            indicator(external_references=[{"source_name": "x", "note": "y"}]),
            "unlisted-property",
            "/external_references/0/note",
        ),
        (
            indicator(
                external_references=[{"source_name": "x", "url": "https://example.com/d/student.safetensors?x=1"}]
            ),
            "model-or-training-data",
            "/external_references/0/url",
        ),
        (indicator(description="Data:application/zip;base64,UEsDBA"), "model-or-training-data", "/description"),
        (indicator(description="A" * 3000), "opaque-content", "/description"),
        (of_type("note", content="x", object_refs=[], authors=["A. Person"]), "personal-data", "/authors"),
        (identity(identity_class="individual"), "personal-data", "/identity_class"),
        (identity(identity_class="group"), "price-or-customer-data", "/identity_class"),
        (identity(extensions={}), "price-or-customer-data", "/extensions"),
        (of_type("user-account", user_id="acct-1"), "account-identifier", "/extensions"),
        (of_type("user-account", account_login="someone"), "account-identifier", "/account_login"),
        (indicator(pattern="[user-account:user_id = 'acct-1']"), "account-identifier", "/pattern"),
        (indicator(pattern="[file:name = 'x']"), "model-or-training-data", "/pattern"),
        (indicator(pattern="[email-addr:value = 'x']"), "account-identifier", "/pattern"),
        (indicator(pattern="[process:name = 'x']"), "unlisted-type", "/pattern"),
        (indicator(pattern="[location:country = 'XX']"), "origin-alone", "/pattern"),
        (indicator(pattern="[software:languages = 'xx']"), "origin-alone", "/pattern"),
        (
            indicator(pattern="[ipv4-addr:value = '192.0.2.1'] OR [software:languages = 'xx']"),
            "origin-alone",
            "/pattern",
        ),
        (of_type("relationship", relationship_type="originates-from"), "origin-alone", "/relationship_type"),
    ],
)
def test_what_the_agreement_does_not_list_is_refused(members: Members, rule: str, pointer: str) -> None:
    assert refusal(members) == (rule, pointer)


@pytest.mark.parametrize(
    "text",
    [
        "ask jane.roe@example.com",
        "mailto:jane@mail.example.org",
        "\uff20 home: jane\uff20example.com",
        "https://jane:x@host.example/",
        "call +44 20 7946 0958",
        "call (020) 7946 0958",
        "tel:0209460958",
        "card 4111 1111 1111 1111",
        "card 4111-1111-1111-1111, stolen",
        "378282246310005",
    ],
)
def test_personal_data_in_clear_is_refused_wherever_it_stands(text: str) -> None:
    assert refusal(indicator(description=text)) == ("personal-data", "/description")
    assert refusal(indicator(external_references=[{"source_name": "x", "description": text}])) == (
        "personal-data",
        "/external_references/0/description",
    )
    assert refusal(indicator(), sigma(texts=(("document 1", text),))) == ("personal-data", "/pattern")


@pytest.mark.parametrize(
    "text",
    [
        "from 192.0.2.1 to 198.51.100.255, AS64500",
        "at 2026-11-02T10:20:30.123Z, 1793613600000 in milliseconds",
        "template 3f2a1c9e-1234-4567-8901-123456789012",
        "sha256 4111111111111111411111111111111141111111111111114111111111111111",
        "grew by +120 percent (see 2026)",
        "card-like 4111 1111 1111 1112",
        "*@example.com and @example.org",
        "llmx.window.requests|gte: 5000",
    ],
)
def test_what_only_resembles_personal_data_passes(text: str) -> None:
    assert check_scope(indicator(description=text), ()) == ()


def reference(**members: Any) -> Members:
    return {"source_name": "x", **members}


@pytest.mark.parametrize(
    ("changes", "rule", "pointer"),
    [
        (
            {"external_references": [reference(hashes={f"hash-{n}": "word " * 48 for n in range(5000)})]},
            "unlisted-property",
            "/external_references/0/hashes/hash-0",
        ),
        (
            {"external_references": [reference(hashes={"SHA-256": "word " * 12 + "word"})]},
            "unlisted-property",
            "/external_references/0/hashes/SHA-256",
        ),
        (
            {"external_references": [reference(hashes=["word"])]},
            "unlisted-property",
            "/external_references/0/hashes/0",
        ),
        (
            {"external_references": [reference(description="word " * 192)] * 500},
            "text-too-long",
            "/external_references",
        ),
        (
            {"external_references": [reference(url="https://example.com/" + "QUJD" * 400)]},
            "text-too-long",
            "/external_references/0/url",
        ),
        ({"labels": ["word " * 20] * 500}, "text-too-long", "/labels"),
        (
            {
                "labels": ["word " * 20] * 100,
                "external_references": [reference(description="word " * 90, external_id="word " * 30)] * 50,
            },
            "text-too-long",
            "",
        ),
        (
            {"granular_markings": [{"marking_ref": "x", "selectors": ["word " * 50] * 100}] * 2},
            "text-too-long",
            "",
        ),
    ],
    ids=range(8),
)
def test_many_small_places_do_not_make_a_large_one(changes: Members, rule: str, pointer: str) -> None:
    assert refusal(indicator(**changes)) == (rule, pointer)


def test_hashes_of_known_kinds_pass() -> None:
    hashes = {"MD5": "0a" * 16, "SHA-256": "0A" * 32, "SHA3-512": "00" * 64}
    assert check_scope(indicator(external_references=[reference(hashes=hashes)]), ()) == ()


def test_a_report_of_many_objects_passes_but_not_one_whose_references_are_prose() -> None:
    references = [f"indicator--{UUID}"] * 9000
    assert check_scope(of_type("report", name="x", object_refs=references), ()) == ()
    invented = [f"x-say-it-in-the-name-of-a-type--{UUID}"] * 600
    assert refusal(of_type("report", name="x", object_refs=invented)) == ("text-too-long", "")


def test_a_long_run_warns_outside_patterns_and_links() -> None:
    run = "QUJD" * 60
    (warning,) = check_scope(indicator(description=f"see {run}"), ())
    assert (warning.rule, warning.pointer) == ("looks-encoded", "/description")
    pattern = f"[url:value='{run}']"
    link = [reference(url=f"https://example.com/{run}")]
    assert check_scope(indicator(pattern=pattern, external_references=link), ()) == ()
    assert check_scope(indicator(description="\u4e2d" * 400), ()) == ()
    (inside,) = check_scope(of_type("course-of-action", name="x"), [playbook(("/description", run))])
    assert inside.rule == "looks-encoded"


@pytest.mark.parametrize(
    ("pattern", "rule"),
    [
        ("[user-account : user_id = 'bob']", "account-identifier"),
        ("[user-account\u3000:\n'user_id' = 'bob']", "account-identifier"),
        ("[user-account:user_id/*'*/ = 'bob']", "unlisted-property"),
        ("[ipv4-addr:value = '192.0.2.1'] // user: tell me", "unlisted-property"),
        ("[location : country = 'CN']", "origin-alone"),
        ("[software : 'languages' = 'xx']", "origin-alone"),
        ("[software:languages NOT = 'xx' AND ipv4-addr:value != '192.0.2.1']", "origin-alone"),
        ("[(software:languages='xx')OR ipv4-addr:value = '192.0.2.1']", "origin-alone"),
        ("[file : name = 'x']", "model-or-training-data"),
        ("[x-prompt : text MATCHES 'say it']", "unlisted-type"),
        ("[note:content = 'say it']", "unlisted-type"),
        ("[ipv4-addr:x_prompt = 'say it']", "unlisted-property"),
        ("[network-traffic:src_ref.account_login = 'bob']", "account-identifier"),
        (f"[ipv4-addr:belongs_to_refs.'{'say it ' * 20}' = 1]", "unlisted-property"),
        (f"[url:value MATCHES '{'say it ' * 200}']", "text-too-long"),
    ],
)
def test_a_pattern_is_read_as_its_grammar_says(pattern: str, rule: str) -> None:
    assert refusal(indicator(pattern=pattern)) == (rule, "/pattern")


@pytest.mark.parametrize(
    "pattern",
    [
        "[ipv4-addr:value = '192.0.2.1' AND (software:name = 'x' OR software:languages = 'xx')]",
        "[software:languages = 'xx'] FOLLOWEDBY [domain-name:resolves_to_refs[*].value ISSUBSET '192.0.2.0/24']",
        "[x509-certificate:hashes.'SHA-256' LIKE '0%' AND network-traffic : dst_ref.value = 'user-account:user_id']",
    ],
)
def test_a_pattern_over_listed_observables_passes(pattern: str) -> None:
    assert check_scope(indicator(pattern=pattern), ()) == ()


def test_a_refusal_does_not_repeat_the_content() -> None:
    with pytest.raises(OutOfScopeError) as caught:
        check_scope(indicator(description="ask jane.roe@example.com"), ())
    assert "jane" not in str(caught.value)


def test_a_labs_contact_may_hold_an_address() -> None:
    members = identity(contact_information="security@aurora.example, +44 20 7946 0958")
    assert check_scope(members, ()) == ()
    assert refusal(identity(description="security@aurora.example")) == ("personal-data", "/description")


def test_a_playbook_may_hold_an_address_for_appeals_and_no_other() -> None:
    place = f"/agent_definitions/group--{UUID}/contact/email/"
    members = of_type("course-of-action", name="Appeals")
    assert check_scope(members, [playbook((place + "appeal", "appeals@aurora.example"))]) == ()
    assert refusal(members, playbook((place + "sales", "sales@aurora.example")))[0] == "personal-data"


def test_a_playbook_names_no_person() -> None:
    place = f"/agent_definitions/individual--{UUID}/name"
    assert refusal(of_type("course-of-action", name="x"), playbook((place, "Jane Roe")))[0] == "personal-data"


@pytest.mark.parametrize(
    ("parts", "rule"),
    [
        ({"matches": (("document 1", "gen_ai.input.messages"),)}, "prompt-or-completion"),
        ({"matches": (("document 1", "gen_ai.input.messages.content"),)}, "prompt-or-completion"),
        ({"matches": (("document 1", "gen_ai.prompt.0.content"),)}, "prompt-or-completion"),
        ({"matches": (("document 1", "gen_ai.prompt[0].content"),)}, "prompt-or-completion"),
        ({"matches": (("document 1", "Prompt"),)}, "prompt-or-completion"),
        ({"matches": (("document 1", "event.prompt_text"),)}, "prompt-or-completion"),
        ({"matches": (("document 1", "(keywords)"),)}, "prompt-or-completion"),
        ({"matches": (("document 1", "user.id"),)}, "account-identifier"),
        ({"matches": (("document 1", "user_id"),)}, "account-identifier"),
        ({"matches": (("document 1", "llmx.account.id"),)}, "account-identifier"),
        ({"matches": (("document 1", " prompt"),)}, "unlisted-property"),
        ({"matches": (("document 1", "pro\u200bmpt"),)}, "unlisted-property"),
        ({"texts": (("document 1 (title)", "word " * 201),)}, "text-too-long"),
        ({"texts": (("document 1 (description)", "word " * 1601),)}, "text-too-long"),
        ({"texts": (("document 1 (detection/(description)", "word " * 201),)}, "text-too-long"),
        ({"remarks": (("line 1 (remark)", "word " * 300), ("line 2 (remark)", "word " * 200))}, "text-too-long"),
        ({"remarks": (("line 1 (remark)", "ask jane@example.com"),)}, "personal-data"),
        ({"fields": ("llmx.account.price",)}, "price-or-customer-data"),
        ({"unlisted": (("document 1", "customers"),)}, "unlisted-property"),
    ],
)
def test_what_a_sigma_rule_must_not_name_is_refused(parts: dict[str, Any], rule: str) -> None:
    assert refusal(indicator(pattern_type="sigma"), sigma(**parts)) == (rule, "/pattern")


def test_a_sigma_rule_over_features_of_requests_passes() -> None:
    fields = (
        "llmx.prompt.template_hash",
        "llmx.prompt.lang",
        "gen_ai.request.model",
        "user.nationality",
        "message_count",
    )
    payload = sigma(
        matches=tuple(("document 1", field) for field in fields),
        texts=(("document 1 (description)", "word " * 1600),),
        remarks=(("line 1 (remark)", "# why"),),
    )
    assert check_scope(indicator(pattern_type="sigma"), [payload]) == ()


@pytest.mark.parametrize(
    ("alternatives", "is_refused"),
    [
        ([{"geo.country.iso_code"}], True),
        ([{"geo.country.iso_code", "llmx.prompt.lang"}], True),
        ([{"geo.country.iso_code", "gen_ai.operation.name"}], True),
        ([{"llmx.prompt.template_family"}, {"llmx.prompt.lang"}], True),
        ([{"llmx.prompt.template_family", "llmx.prompt.lang"}], False),
        ([{"gen_ai.operation.name"}], False),
        ([set()], False),
    ],
)
def test_origin_is_never_the_only_reason(alternatives: list[set[str]], is_refused: bool) -> None:
    rule = RuleFields("document 1", frozenset(frozenset(fields) for fields in alternatives))
    if is_refused:
        assert refusal(indicator(pattern_type="sigma"), sigma(rules=(rule,))) == ("origin-alone", "/pattern")
    else:
        assert check_scope(indicator(pattern_type="sigma"), [sigma(rules=(rule,))]) == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("<|im_start|>system", "looks-like-prompt"),
        ("seen as\nuser: hello\nassistant: hi", "looks-like-prompt"),
        ("sold at $3 per million tokens", "looks-like-price"),
        ("Our customers are many", "looks-like-customer-list"),
    ],
)
def test_hints_in_free_text_warn_and_let_pass(text: str, rule: str) -> None:
    (warning,) = check_scope(indicator(description=text), ())
    assert (warning.rule, warning.pointer) == (rule, "/description")


def test_a_named_author_of_a_rule_is_a_warning() -> None:
    (warning,) = check_scope(indicator(pattern_type="sigma"), [sigma(texts=(("document 1 (author)", "Jane"),))])
    assert warning.rule == "names-an-author"


def test_our_own_extensions_are_listed_by_their_ids() -> None:
    listed = {identifier for scope in agreement().types.values() for identifier in scope.extensions}
    ours = {value for name, value in vars(extension_ids).items() if name.endswith("_EXTENSION")}
    # The five TLP markings are known by their body and never published by a member.
    assert ours - {extension_ids.TLP2_EXTENSION} == listed


def test_every_rule_is_explained_in_the_documentation_in_the_same_order() -> None:
    text = Path("docs/scope.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z-]+)` \| (?:refuse|warn) \|", text, re.MULTILINE)
    assert documented == list(agreement().rules)


def test_every_kind_of_object_is_explained_in_the_documentation() -> None:
    text = Path("docs/scope.md").read_text(encoding="utf-8")
    assert [kind for kind in agreement().types if f"`{kind}`" not in text] == []


def test_every_rule_that_the_guard_knows_stands_in_the_file() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in SCOPE_FILE.parent.glob("scope*.py"))
    used = set(re.findall(r'"((?:unlisted|looks|names-an|text-too|price-or|model-or|prompt-or)-[a-z-]+)"', sources))
    assert used <= set(agreement().rules)


def test_the_file_is_in_a_fixed_order_so_that_its_differences_are_short() -> None:
    data = tomllib.loads(SCOPE_FILE.read_text(encoding="utf-8"))
    assert list(data["types"]) == sorted(data["types"])
    for section in data["types"].values():
        assert section["because"]
        for name in ("plain", "structures", "extensions"):
            assert section.get(name, []) == sorted(section.get(name, []))
        assert list(section.get("texts", {})) == sorted(section.get("texts", {}))
