"""Operators' pages about collections, grants and the logs. The content of objects is on none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import display
from django.db.models import Model
from django.http import HttpRequest

from exchange.admin.pages import ServicePage
from exchange.models import ApiRoot, Collection, Grant
from exchange.services.collections import create_collection, grant_access
from exchange.services.communities import create_root, update_collection, update_root
from exchange.services.principals import Principal
from exchange.stix.markings import Tlp

if TYPE_CHECKING:
    # Django's own class takes no parameter at run time.
    CollectionModelForm = forms.ModelForm[Collection]
    GrantModelForm = forms.ModelForm[Grant]
    RootModelForm = forms.ModelForm[ApiRoot]
else:
    CollectionModelForm = GrantModelForm = RootModelForm = forms.ModelForm

NEW_FIELDS = ("api_root", "alias", "title", "scope", "floor", "public")
FIXED_FIELDS = ("alias", "public_id", "api_root", "scope", "is_view")
CHANGED_FIELDS = ("title", "description", "floor", "public", "page_limit", "max_object_bytes", "retention_days")


class CollectionForm(CollectionModelForm):
    """A new collection; the floor is chosen by label."""

    floor = forms.TypedChoiceField(coerce=int, choices=[(int(label), label.label) for label in Tlp])

    class Meta:
        model = Collection
        fields = NEW_FIELDS


class GrantForm(GrantModelForm):
    """What a lab may do with a collection from now on; a pair that is there already is no fault."""

    def clean(self) -> dict[str, Any] | None:
        known = Grant.objects.filter(
            collection=self.cleaned_data.get("collection"), lab=self.cleaned_data.get("lab")
        ).first()
        self.instance = known or self.instance
        return super().clean()

    class Meta:
        model = Grant
        fields = ("collection", "lab", "can_read", "can_write")


class CollectionPage(ServicePage):
    """Collections; who may use them stands among the grants."""

    form = CollectionForm
    list_display = ("alias", "title", "api_root", "scope", "floor_label", "public", "is_view")
    search_fields = ("alias", "title")

    @display(description="floor")
    def floor_label(self, collection: Collection) -> str:
        return Tlp(collection.floor).label

    def get_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        return NEW_FIELDS if obj is None else (*FIXED_FIELDS, *CHANGED_FIELDS)

    def get_readonly_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        return () if obj is None else FIXED_FIELDS

    def add(self, actor: Principal, values: dict[str, Any]) -> Collection:
        root = values["api_root"].slug
        return create_collection(actor=actor, **values | {"floor": Tlp(values["floor"]), "api_root": root})

    def change(self, actor: Principal, row: Model, values: dict[str, Any]) -> Collection:
        assert isinstance(row, Collection)
        changed: dict[str, Any] = {
            name: 0 if name == "retention_days" and value is None else value for name, value in values.items()
        }
        if "floor" in changed:
            changed["floor"] = Tlp(changed["floor"])
        return update_collection(actor=actor, collection=row, **changed)


class RootForm(RootModelForm):
    """A new API root."""

    with_collections = forms.BooleanField(
        required=False, initial=True, help_text="with the default collections, which nobody may use before a grant"
    )

    class Meta:
        model = ApiRoot
        fields = ("slug", "title", "description", "max_content_bytes")


class RootPage(ServicePage):
    """API roots: one for each community."""

    list_display = ("slug", "title", "max_content_bytes")
    search_fields = ("slug", "title")
    fields = ("slug", "title", "description", "max_content_bytes")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        return super().get_form(request, obj, change, **options if change else {**options, "form": RootForm})

    def get_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        return (*self.fields, "with_collections") if obj is None else self.fields

    def get_readonly_fields(self, _request: HttpRequest, obj: Model | None = None) -> Any:
        return () if obj is None else ("slug",)

    def add(self, actor: Principal, values: dict[str, Any]) -> ApiRoot:
        return create_root(actor=actor, **values)

    def change(self, actor: Principal, row: Model, values: dict[str, Any]) -> ApiRoot:
        assert isinstance(row, ApiRoot)
        return update_root(actor=actor, slug=row.slug, **values)


class GrantPage(ServicePage):
    """What each lab may do with each collection. Adding a grant that is there sets it anew."""

    list_display = ("collection", "lab", "can_read", "can_write")
    list_filter = ("collection", "lab")
    fields = ("collection", "lab", "can_read", "can_write")
    form = GrantForm

    def add(self, actor: Principal, values: dict[str, Any]) -> Grant:
        grant_access(actor=actor, **values)
        return Grant.objects.get(collection=values["collection"], lab=values["lab"])


class AuditEventPage(ServicePage):
    """The audit log, newest first."""

    list_display = ("at", "actor", "action", "subject", "lab_id")
    list_filter = ("action",)
    search_fields = ("actor", "subject")
    ordering = ("-id",)
    fields = ("at", "actor", "lab_id", "action", "subject", "detail")


class DeliveryPage(ServicePage):
    """Which answer went to whom, newest first; ranges of the sequence, not objects."""

    list_display = ("at", "lab_id", "token_id", "person_id", "door", "seq_from", "seq_to")
    list_filter = ("door",)
    ordering = ("-id",)
    fields = (
        "at",
        "lab_id",
        "token_id",
        "person_id",
        "door",
        "collection_ids",
        "seq_from",
        "seq_to",
        "filter",
        "audience_ids",
    )
