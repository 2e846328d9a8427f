"""Operators' pages: who gets in, what they show, and that every act goes through a service and into the audit log."""

from __future__ import annotations

import base64
import re

import pytest
from django.contrib import admin
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django_otp.oath import totp

from exchange.admin.registration import PAGES
from exchange.admin.signing_in import REFUSED
from exchange.models import ApiRoot, AuditEvent, Collection, Grant, Lab, Person, Pin, SigningKey, Token
from exchange.services.access import authenticate_token
from exchange.services.errors import NotAuthenticatedError
from exchange.services.labs import NewPerson, create_person
from exchange.services.principals import OPERATOR
from exchange.stix.keys import SigningKey as NewKey
from tests.support.labs import Community

PASSWORD = "a long enough password"
LOOPBACK = "127.0.0.1"


@pytest.fixture
def operator(community: Community) -> NewPerson:
    return create_person(actor=OPERATOR, username="olga", role=Person.Role.OPERATOR, password=PASSWORD)


@pytest.fixture
def site(operator: NewPerson) -> Client:
    client = Client()
    assert sign_in(client, operator).status_code == 302
    return client


def sign_in(client: Client, person: NewPerson, *, code: str | None = None, password: str = PASSWORD) -> HttpResponse:
    secret = base64.b32decode(person.totp_secret)
    values = {
        "username": person.person.username,
        "password": password,
        "otp_token": code if code is not None else f"{totp(secret):06d}",
    }
    answer: HttpResponse = client.post("/admin/login/?next=/admin/", values)  # type: ignore[assignment]
    return answer


def run_action(site: Client, model: str, name: str, *rows: int) -> None:
    answer = site.post(f"/admin/exchange/{model}/", {"action": name, "_selected_action": [str(row) for row in rows]})
    assert answer.status_code == 302


def audited(action: str) -> AuditEvent:
    return AuditEvent.objects.filter(action=action).latest("id")


# --- who gets in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "code"), [(PASSWORD, ""), (PASSWORD, "000000"), ("wrong", None), ("wrong", "000000")]
)
def test_every_wrong_factor_gets_the_same_answer(operator: NewPerson, password: str, code: str | None) -> None:
    client = Client()
    answer = sign_in(client, operator, code=code, password=password)
    assert answer.status_code == 200
    assert REFUSED in answer.content.decode()
    assert "Challenge" not in answer.content.decode()
    assert client.get("/admin/exchange/lab/").status_code == 302


def test_code_opens_one_session(operator: NewPerson) -> None:
    assert sign_in(Client(), operator).status_code == 302
    assert sign_in(Client(), operator).status_code == 200


def test_session_without_second_factor_is_sent_to_the_login(operator: NewPerson) -> None:
    client = Client()
    client.force_login(operator.person)
    assert client.get("/admin/exchange/lab/").status_code == 302


def test_person_of_a_lab_does_not_get_in(community: Community) -> None:
    person = create_person(
        actor=OPERATOR, lab=community.aurora.lab, username="ada", role=Person.Role.ADMIN, password=PASSWORD
    )
    client = Client()
    assert sign_in(client, person).status_code == 200
    assert client.get("/admin/").status_code == 302


# --- what it shows -----------------------------------------------------------------------------------------------


def test_every_page_opens_and_can_be_searched(site: Client) -> None:
    for model in PAGES:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert site.get(address).status_code == 200, address
        assert site.get(f"{address}?q=aurora").status_code in {200, 302}, address


def test_no_page_shows_a_digest_or_a_sealed_key(site: Client, community: Community) -> None:
    token = Token.objects.filter(lab=community.aurora.lab).latest("id")
    answer = site.get(f"/admin/exchange/token/{token.pk}/change/")
    assert answer.status_code == 200
    assert bytes(token.digest).hex() not in answer.content.decode()
    assert "digest" not in answer.content.decode()
    sealed = SigningKey.objects.filter(sealed__isnull=False).latest("id")
    page = site.get(f"/admin/exchange/signingkey/{sealed.pk}/change/").content.decode()
    assert sealed.kid in page
    assert sealed.sealed is not None
    assert bytes(sealed.sealed).decode() not in page
    assert "Sealed" not in page


def test_one_time_code_secrets_have_no_page() -> None:
    from django_otp.plugins.otp_totp.models import TOTPDevice

    assert not admin.site.is_registered(TOTPDevice)


def test_nothing_can_be_deleted_or_changed_in_place(site: Client, community: Community) -> None:
    for model in PAGES:
        row = model._base_manager.first()
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk if row else 1}"
        assert site.post(f"{address}/delete/", {"post": "yes"}).status_code in {302, 403}, address
        # A page that changes rows shows its form again: what a service changes needs more than this.
        assert site.post(f"{address}/change/", {"name": "changed"}).status_code in {200, 302, 403}, address
        assert row is None or model._base_manager.filter(pk=row.pk).values().get() == values_of(row)


def values_of(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


# --- acts --------------------------------------------------------------------------------------------------------


def test_suspending_a_lab_stops_its_tokens_and_names_the_operator(
    site: Client, community: Community, operator: NewPerson
) -> None:
    run_action(site, "lab", "suspend", community.aurora.lab.pk)
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(community.aurora.token, source_address=LOOPBACK)
    assert audited("lab-status-suspended").actor == f"person:{operator.person.pk}"
    run_action(site, "lab", "resume", community.aurora.lab.pk)
    assert authenticate_token(community.aurora.token, source_address=LOOPBACK).lab_slug == "aurora"


def test_revoking_a_token_stops_it_and_is_audited(site: Client, community: Community) -> None:
    token = Token.objects.get(prefix=community.aurora.principal.token_prefix)
    run_action(site, "token", "revoke", token.pk)
    with pytest.raises(NotAuthenticatedError):
        authenticate_token(community.aurora.token, source_address=LOOPBACK)
    assert audited("token-revoked").subject == token.prefix


def test_lab_is_admitted_by_the_service_with_its_grants(site: Client) -> None:
    answer = site.post("/admin/exchange/lab/add/", {"slug": "delta", "name": "Delta", "contact": ""})
    assert answer.status_code == 302
    assert Grant.objects.filter(lab__slug="delta", can_read=True).count() == 5
    assert audited("lab-admitted").subject == "delta"


def test_refusal_of_a_service_is_shown_and_stores_nothing(site: Client, community: Community) -> None:
    values = {"lab": community.aurora.lab.pk, "thumbprint": "x" * 43}
    answer = site.post("/admin/exchange/pin/add/", values, follow=True)
    assert "thumbprint is 43 characters" in answer.content.decode()
    assert not Pin.objects.filter(thumbprint="x" * 43).exists()


def test_pin_is_set_by_the_service(site: Client, community: Community) -> None:
    kid = NewKey.generate("root").kid
    values = {"lab": community.aurora.lab.pk, "thumbprint": kid}
    assert site.post("/admin/exchange/pin/add/", values).status_code == 302
    assert Pin.objects.get(thumbprint=kid).lab.slug == "aurora"
    assert audited("key-pinned").detail == {"thumbprint": kid}


def test_collection_is_made_and_its_grant_set_twice(site: Client, community: Community) -> None:
    root = ApiRoot.objects.get()
    values = {"api_root": root.pk, "alias": "feeds", "title": "Feeds", "scope": "open", "floor": "1"}
    assert site.post("/admin/exchange/collection/add/", values).status_code == 302
    collection = Collection.objects.get(alias="feeds")
    assert collection.floor == 1
    pair = {"collection": collection.pk, "lab": community.aurora.lab.pk}
    assert site.post("/admin/exchange/grant/add/", pair | {"can_read": "on"}).status_code == 302
    assert site.post("/admin/exchange/grant/add/", pair | {"can_write": "on"}).status_code == 302
    grant = Grant.objects.get(collection=collection)
    assert (grant.can_read, grant.can_write) == (False, True)


def test_collection_is_changed_by_the_service_and_only_in_what_may_change(site: Client, community: Community) -> None:
    collection = Collection.objects.get(alias="signatures")
    address = f"/admin/exchange/collection/{collection.pk}/change/"
    values = {
        "title": "Signatures",
        "floor": "1",
        "page_limit": "50",
        "max_object_bytes": "4096",
        "retention_days": "30",
    }
    assert site.post(address, values | {"alias": "other"}).status_code == 302
    collection.refresh_from_db()
    assert (collection.title, collection.floor, collection.page_limit) == ("Signatures", 1, 50)
    assert (collection.max_object_bytes, collection.retention_days, collection.alias) == (4096, 30, "signatures")
    assert audited("collection-changed").actor.startswith("person:")
    assert site.post(address, values | {"retention_days": ""}).status_code == 302
    collection.refresh_from_db()
    assert collection.retention_days is None
    refused = site.post(address, values | {"max_object_bytes": "5"}, follow=True)
    said = " ".join(re.findall(r"<li[^>]*>([^<]*)</li>", refused.content.decode()))
    assert "max_object_bytes is 1024 to" in said.lower(), said
    collection.refresh_from_db()
    assert collection.max_object_bytes == 4096


def test_root_is_made_with_its_collections_and_changed(site: Client, community: Community) -> None:
    values = {"slug": "west", "title": "West", "max_content_bytes": "100000", "with_collections": "on"}
    assert site.post("/admin/exchange/apiroot/add/", values).status_code == 302
    root = ApiRoot.objects.get(slug="west")
    assert root.collections.filter(alias="signatures").exists()
    changed = {"title": "Far west", "description": "", "max_content_bytes": "200000"}
    assert site.post(f"/admin/exchange/apiroot/{root.pk}/change/", changed).status_code == 302
    root.refresh_from_db()
    assert (root.slug, root.title, root.max_content_bytes) == ("west", "Far west", 200_000)


def test_closed_account_is_closed_and_ones_own_cannot_be(
    site: Client, community: Community, operator: NewPerson
) -> None:
    other = create_person(
        actor=OPERATOR, lab=community.aurora.lab, username="ada", role=Person.Role.ANALYST, password=PASSWORD
    )
    run_action(site, "person", "close", other.person.pk, operator.person.pk)
    assert not Person.objects.get(username="ada").is_active
    assert Person.objects.get(username="olga").is_active
    run_action(site, "person", "reopen", other.person.pk)
    assert Person.objects.get(username="ada").is_active
    assert audited("person-opened").subject == "ada"
    assert Lab.objects.get(slug="aurora").is_active
