"""Operators' pages about members: labs, persons, tokens, root pins, keys and approvals of identities."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import action, display
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from exchange.admin.pages import ServicePage, actor_of, text_of
from exchange.models import IdentityApproval, Lab, Person, Pin, SigningKey, Token
from exchange.services.administration import revoke_any_token, set_person_active
from exchange.services.errors import ExchangeError
from exchange.services.keys import approve_identity, pin_key
from exchange.services.labs import create_lab, resume_lab, suspend_lab
from exchange.services.principals import Principal


class LabPage(ServicePage):
    """Labs and nodes. Admit, suspend, resume."""

    list_display = ("slug", "name", "kind", "status", "status_since", "identity_id")
    list_filter = ("status", "kind")
    search_fields = ("slug", "name", "identity_id")
    actions = ("suspend", "resume")

    def get_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ("slug", "name", "contact")
        return ("slug", "name", "contact", "kind", "status", "status_since", "identity_id", "is_self", "created_at")

    def add(self, actor: Principal, values: dict[str, Any]) -> Lab:
        return create_lab(actor=actor, **values)

    @action(description="Suspend: tokens and persons stop at the next request", permissions=["view"])
    def suspend(self, request: HttpRequest, labs: QuerySet[Lab]) -> None:
        self._each(request, labs, lambda actor, lab: suspend_lab(actor=actor, slug=lab.slug))

    @action(description="Resume", permissions=["view"])
    def resume(self, request: HttpRequest, labs: QuerySet[Lab]) -> None:
        self._each(request, labs, lambda actor, lab: resume_lab(actor=actor, slug=lab.slug))

    def _each(self, request: HttpRequest, labs: QuerySet[Lab], act: Callable[[Principal, Lab], Lab]) -> None:
        actor = actor_of(request)
        for lab in labs:
            try:
                changed = act(actor, lab)
            except ExchangeError as error:
                self.message_user(request, text_of(error), messages.ERROR)
            else:
                self.message_user(request, f"{changed.slug} is {changed.status}")


class PersonPage(ServicePage):
    """Persons. Their secrets are shown by create_person alone, so there is no form for a new one."""

    list_display = ("username", "lab", "role", "is_active", "last_login")
    list_filter = ("role", "is_active", "lab")
    search_fields = ("username",)
    fields = ("username", "lab", "role", "identity_id", "is_active", "last_login")
    actions = ("close", "reopen")

    @action(description="Close the account", permissions=["view"])
    def close(self, request: HttpRequest, persons: QuerySet[Person]) -> None:
        self._set(request, persons, is_active=False)

    @action(description="Open the account again", permissions=["view"])
    def reopen(self, request: HttpRequest, persons: QuerySet[Person]) -> None:
        self._set(request, persons, is_active=True)

    def _set(self, request: HttpRequest, persons: QuerySet[Person], *, is_active: bool) -> None:
        actor = actor_of(request)
        for person in persons:
            try:
                set_person_active(actor=actor, person=person, is_active=is_active)
            except ExchangeError as error:
                self.message_user(request, f"{person.username}: {text_of(error)}", messages.ERROR)
            else:
                self.message_user(request, f"{person.username} is {'open' if is_active else 'closed'}")


class TokenPage(ServicePage):
    """Tokens by their public prefix. Secrets are nowhere; new ones come from create_token or the lab itself."""

    list_display = ("prefix", "lab", "scopes", "client", "created_at", "expires_at", "revoked_at")
    list_filter = ("client", "lab")
    search_fields = ("prefix",)
    fields = ("prefix", "lab", "person", "scopes", "client", "bounds", "created_at", "expires_at", "revoked_at")
    ordering = ("-id",)
    actions = ("revoke",)

    @action(description="Revoke: stops at the next request", permissions=["view"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        actor = actor_of(request)
        count = sum(revoke_any_token(actor=actor, prefix=token.prefix) for token in tokens)
        self.message_user(request, f"revoked {count}")


class PinPage(ServicePage):
    """Root keys that operators compared over another channel."""

    list_display = ("thumbprint", "lab", "pinned_at")
    search_fields = ("thumbprint", "lab__slug")

    def get_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        return ("lab", "thumbprint") if obj is None else ("lab", "thumbprint", "pinned_at")

    def add(self, actor: Principal, values: dict[str, Any]) -> Pin:
        pin_key(actor=actor, **values)
        return Pin.objects.get(thumbprint=values["thumbprint"])


def _second(name: str, label: str) -> Callable[[SigningKey], datetime | None]:
    """A column for a time that is kept as Unix seconds."""

    @display(description=label, ordering=name)
    def column(key: SigningKey) -> datetime | None:
        value: int | None = getattr(key, name)
        return None if value is None else datetime.fromtimestamp(value, UTC)

    return column


# Django takes columns as callables; its stubs know only some of the places.
KEY_TIMES: tuple[Any, ...] = (
    _second("nbf", "from"),
    _second("exp", "until"),
    _second("revoked_at", "revoked"),
    _second("compromised_since", "compromised since"),
)


class SigningKeyPage(ServicePage):
    """Public parts and states of keys. The sealed part of an exchange-held key has no field here."""

    list_display = ("kid", "lab", "use", "custody", *KEY_TIMES)
    list_filter = ("use", "custody", "lab")
    search_fields = ("kid",)
    fields = ("kid", "lab", "use", "custody", "x", *KEY_TIMES, "first_seen_at")
    readonly_fields = KEY_TIMES


class IdentityApprovalPage(ServicePage):
    """Approvals of identity versions outside their chain; it takes two operators."""

    list_display = ("lab", "payload_sha256", "operator", "approved_at")
    list_filter = ("lab",)

    def get_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        return ("lab", "payload_sha256") if obj is None else ("lab", "payload_sha256", "operator", "approved_at")

    def add(self, actor: Principal, values: dict[str, Any]) -> IdentityApproval:
        operator = Person.objects.get(identity_id=actor.person_identity)
        approve_identity(operator=operator, **values)
        return IdentityApproval.objects.get(operator=operator, **values)
