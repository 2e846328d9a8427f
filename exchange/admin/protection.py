"""Operators' page about networks that are not to be blocked."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import action, display
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from attribution.models import AllowedNetwork
from attribution.protection.allowing import NewAllowedNetwork, add_allowed_network, remove_allowed_network
from exchange.admin.pages import ServicePage, actor_of
from exchange.services.clock import now
from exchange.services.principals import Principal

if TYPE_CHECKING:
    # Django's own class takes no parameter at run time.
    AllowedNetworkModelForm = forms.ModelForm[AllowedNetwork]
else:
    AllowedNetworkModelForm = forms.ModelForm

FIELDS = ("net", "title", "reason", "source", "expires_at")


class AllowedNetworkForm(AllowedNetworkModelForm):
    """An entry; the service says what may stand in it, and sets a network anew that has one."""

    net = forms.CharField(max_length=49, help_text="an address, or a network as CIDR")

    def validate_unique(self) -> None:
        """A network that has an entry is no fault."""

    class Meta:
        model = AllowedNetwork
        fields = FIELDS


class AllowedNetworkPage(ServicePage):
    """Networks on which matches are marked *do not block*."""

    form = AllowedNetworkForm
    list_display = ("net", "title", "reason", "expires_at", "counts", "source", "added_by")
    list_filter = ("reason",)
    search_fields = ("title", "source")
    ordering = ("net",)
    actions = ("remove",)

    @display(description="counts", boolean=True)
    def counts(self, row: AllowedNetwork) -> bool:
        return row.expires_at > now()

    def get_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        return FIELDS if obj is None else (*FIELDS, "added_at", "added_by")

    def add(self, actor: Principal, values: dict[str, Any]) -> AllowedNetwork:
        until: datetime = values["expires_at"]
        texts = {name: values[name] for name in ("net", "title", "reason", "source")}
        return add_allowed_network(actor=actor, entry=NewAllowedNetwork(**texts, until=until))

    @action(description="Protect no longer", permissions=["view"])
    def remove(self, request: HttpRequest, rows: QuerySet[AllowedNetwork]) -> None:
        nets = [str(row) for row in rows]
        for net in nets:
            remove_allowed_network(actor=actor_of(request), net=net)
        self.message_user(request, f"{len(nets)} removed")
