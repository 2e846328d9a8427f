"""Operators' sessions: guessing is slowed down, acts ask for a fresh sign-in, filters tell nothing of secrets."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from exchange.admin import freshness, throttling
from exchange.admin.freshness import FRESH_FOR_S
from exchange.admin.throttling import MAX_FAILURES, WINDOW_S
from exchange.models import Lab, Person, Pin
from exchange.services.labs import NewPerson, create_person
from exchange.services.principals import OPERATOR
from exchange.stix.keys import SigningKey as NewKey
from tests.support.labs import Community

PASSWORD = "a long enough password"
HERE, THERE = "203.0.113.4", "203.0.113.5"


@pytest.fixture
def operator(community: Community) -> Iterator[NewPerson]:
    cache.clear()
    yield create_person(actor=OPERATOR, username="olga", role=Person.Role.OPERATOR, password=PASSWORD)
    cache.clear()


@pytest.fixture
def site(operator: NewPerson) -> Client:
    client = Client()
    assert sign_in(client, operator).status_code == 302
    return client


def sign_in(client: Client, person: NewPerson, *, password: str = PASSWORD, address: str = HERE) -> HttpResponse:
    values = {"username": "olga", "password": password}
    values["otp_token"] = f"{totp(base64.b32decode(person.totp_secret)):06d}"
    answer: HttpResponse = client.post("/admin/login/?next=/admin/", values, REMOTE_ADDR=address)  # type: ignore[assignment]
    return answer


def forgive_device(person: NewPerson) -> None:
    """django-otp slows down too, by seconds that a test does not wait for, and takes no code twice."""
    TOTPDevice.objects.filter(user=person.person).update(
        throttling_failure_count=0, throttling_failure_timestamp=None, last_t=-1
    )


def fail(person: NewPerson, times: int) -> None:
    for _ in range(times):
        assert sign_in(Client(), person, password="wrong").status_code == 200


def let_pass(site: Client, seconds: int) -> None:
    session = site.session
    session[freshness._SIGNED_IN_AT] = int(time.time()) - seconds
    session.save()


# --- guessing ----------------------------------------------------------------------------------------------------


def test_tenth_failure_locks_the_name_for_the_address_alone(operator: NewPerson) -> None:
    fail(operator, MAX_FAILURES)
    forgive_device(operator)
    answer = sign_in(Client(), operator)
    assert answer.status_code == 429
    assert answer["Retry-After"] == str(WINDOW_S)
    assert sign_in(Client(), operator, address=THERE).status_code == 302


def test_name_that_nobody_has_is_locked_in_the_same_way(operator: NewPerson) -> None:
    values = {"username": "nobody", "password": "x", "otp_token": "000000"}
    answers = [Client().post("/admin/login/", values).status_code for _ in range(MAX_FAILURES + 1)]
    assert answers == [200] * MAX_FAILURES + [429]
    assert Client().post("/admin/login/", values | {"username": "NOBODY"}).status_code == 429


def test_success_and_time_forget_failures(operator: NewPerson, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(operator, MAX_FAILURES - 1)
    forgive_device(operator)
    assert sign_in(Client(), operator).status_code == 302
    fail(operator, 1)
    monkeypatch.setattr(throttling, "WINDOW_S", 0)
    forgive_device(operator)
    assert sign_in(Client(), operator).status_code == 302


def test_sign_in_page_itself_is_never_locked(operator: NewPerson) -> None:
    fail(operator, MAX_FAILURES)
    assert Client().get("/admin/login/", REMOTE_ADDR=HERE).status_code == 200


# --- sessions ----------------------------------------------------------------------------------------------------


def test_session_ends_with_the_browser_and_after_a_working_day(site: Client) -> None:
    cookie = site.cookies["sessionid"]
    assert (cookie["expires"], cookie["max-age"]) == ("", "")
    assert site.session.get_expiry_age() == 8 * 3600


def test_old_session_may_look_and_not_act(site: Client, community: Community, operator: NewPerson) -> None:
    let_pass(site, FRESH_FOR_S + 5)
    assert site.get("/admin/exchange/lab/").status_code == 200
    lab = community.aurora.lab.pk
    answer = site.post("/admin/exchange/lab/", {"action": "suspend", "_selected_action": [str(lab)]})
    assert answer.status_code == 302
    assert answer["Location"] == "/admin/login/?next=/admin/exchange/lab/"
    assert Lab.objects.get(pk=lab).is_active
    assert site.get("/admin/exchange/lab/").status_code == 302
    assert "Nothing was changed" in site.get("/admin/login/").content.decode()
    forgive_device(operator)
    assert sign_in(site, operator).status_code == 302
    assert site.post("/admin/exchange/lab/", {"action": "suspend", "_selected_action": [str(lab)]}).status_code == 302
    assert not Lab.objects.get(pk=lab).is_active


def test_old_session_pins_no_key(site: Client, community: Community) -> None:
    values = {"lab": community.aurora.lab.pk, "thumbprint": NewKey.generate("root").kid}
    let_pass(site, FRESH_FOR_S + 5)
    assert site.post("/admin/exchange/pin/add/", values)["Location"].startswith("/admin/login/")
    assert not Pin.objects.filter(thumbprint=values["thumbprint"]).exists()


def test_session_of_the_future_or_of_unknown_age_is_not_fresh(site: Client, community: Community) -> None:
    let_pass(site, -3_600)
    values = {"action": "suspend", "_selected_action": [str(community.aurora.lab.pk)]}
    assert site.post("/admin/exchange/lab/", values)["Location"].startswith("/admin/login/")


# --- filters -----------------------------------------------------------------------------------------------------


def test_filter_that_no_page_offers_is_refused(site: Client) -> None:
    for address in (
        "person/?password__startswith=scrypt",
        "person/?password=x",
        "person/?role__startswith=o",
        "token/?digest__startswith=a",
        "token/?person__password__startswith=s",
        "token/?lab__slug__startswith=a",
        "signingkey/?sealed__isnull=True",
        "pin/?lab__name__contains=a",
    ):
        assert site.get(f"/admin/exchange/{address}").status_code == 400, address


def test_filters_of_the_pages_work(site: Client, community: Community) -> None:
    lab = community.aurora.lab.pk
    for address in (
        f"token/?lab__id__exact={lab}&client__exact=1",
        "person/?role__exact=operator&is_active__exact=1&lab__isnull=True",
        "lab/?status__exact=active&kind__exact=lab",
        "auditevent/?action=lab-admitted",
        "delivery/?door=rest",
    ):
        assert site.get(f"/admin/exchange/{address}").status_code == 200, address


def test_models_have_plurals_for_people(site: Client) -> None:
    page = site.get("/admin/").content.decode()
    assert "Deliveries" in page
    assert "Deliverys" not in page
