"""What all operators' pages share: services change things, after a fresh sign-in, and nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseRedirect

from exchange.admin.freshness import ask_again, is_fresh
from exchange.models import Person
from exchange.services.administration import operator_of
from exchange.services.errors import ExchangeError
from exchange.services.principals import Principal
from exchange.stix.errors import StixError

if TYPE_CHECKING:
    # Django's own class takes no parameter at run time.
    ModelPage = ModelAdmin[Any]
else:
    ModelPage = ModelAdmin


def actor_of(request: HttpRequest) -> Principal:
    """The operator behind a request that the site has let in.

    Raises:
        AccessDeniedError: staff, but no operator.
    """
    assert isinstance(request.user, Person)
    return operator_of(request.user)


class ServicePage(ModelPage):
    """Rows to read. A page that can add names a service in `add`, one that can change names one in `change`; pages
    offer no other way to write."""

    actions_on_bottom = False
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return type(self).add is not ServicePage.add

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return type(self).change is not ServicePage.change

    def has_view_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        return self.admin_site.has_permission(request)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:  # noqa: ARG002 - Django asks for these names
        """The page's own filters; any other would tell of fields that no page shows, letter by letter."""
        forms = ("{}", "{}__exact", "{}__isnull", "{}__id__exact")
        names = [getattr(each, "parameter_name", each) for each in self.list_filter]
        return any(lookup == form.format(name) for name in names for form in forms)

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def add(self, actor: Principal, values: dict[str, Any]) -> Model:
        """Call the service that makes a row of this kind; `values` come from the checked form."""
        raise NotImplementedError

    def change(self, actor: Principal, row: Model, values: dict[str, Any]) -> Model:
        """Call the service that changes a row of this kind; `values` are those of the checked form that are new."""
        raise NotImplementedError

    def save_form(self, _request: HttpRequest, form: Any, change: bool) -> Model:  # noqa: ARG002 - its interface
        unsaved: Model = form.save(commit=False)
        return unsaved

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        values = form.cleaned_data
        if not change:
            obj.__dict__.update(self.add(actor_of(request), values).__dict__)
        elif form.changed_data:
            changed = {name: values[name] for name in form.changed_data}
            obj.__dict__.update(self.change(actor_of(request), obj, changed).__dict__)

    def save_related(self, *_arguments: Any, **_options: Any) -> None:
        """Services write everything that belongs to a row."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Posted here are actions."""
        if request.method == "POST" and self.has_view_permission(request) and not is_fresh(request):
            return ask_again(request)
        return super().changelist_view(request, extra_context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A form for a new row."""
        is_allowed, shown = self.has_add_permission(request), super().add_view
        return self._written(request, is_allowed, lambda: shown(request, form_url, extra_context))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A row, and a form where the page can change it."""
        is_allowed, shown = self.has_change_permission(request), super().change_view
        return self._written(request, is_allowed, lambda: shown(request, object_id, form_url, extra_context))

    def _written(self, request: HttpRequest, is_allowed: bool, view: Callable[[], HttpResponse]) -> HttpResponse:
        """What the service refuses is shown as one line above the form as it was; nothing has been stored then."""
        if request.method == "POST" and is_allowed and not is_fresh(request):
            return ask_again(request)
        try:
            return view()
        except (ExchangeError, StixError) as error:
            self.message_user(request, text_of(error), messages.ERROR)
            return HttpResponseRedirect(request.path)


def text_of(error: ExchangeError | StixError) -> str:
    """The refusal in one line."""
    return error.detail if isinstance(error, ExchangeError) else error.message
