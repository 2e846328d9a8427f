"""The operators' site: Django's admin, opened by password and one-time code only."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django_otp.admin import OTPAdminSite

from exchange.admin.freshness import note_sign_in
from exchange.admin.signing_in import OperatorLoginForm
from exchange.admin.throttling import WINDOW_S, count_failure, forget_failures, is_locked
from exchange.http.sources import source_address


class OperatorsSite(OTPAdminSite):  # type: ignore[misc]  # django-otp has no type stubs
    """Operators see metadata of everything. The content of objects is not shown here, but for what is in quarantine."""

    site_header = "commonwatch operators"
    site_title = "commonwatch"
    login_form = OperatorLoginForm
    site_url = None
    index_title = "Labs, collections, peers, keys and logs"

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The sign-in page; 429 where an address fails too often with a name, whether or not anybody has it."""
        if request.method != "POST":
            return self._page(request, extra_context)
        address, username = source_address(request), request.POST.get("username", "")
        if is_locked(address, username):
            return HttpResponse(
                "too many failures; try again later\n",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                content_type="text/plain",
                headers={"Retry-After": str(WINDOW_S)},
            )
        answer = self._page(request, extra_context)
        if answer.status_code == HTTPStatus.FOUND:
            forget_failures(address, username)
            note_sign_in(request)
        else:
            count_failure(address, username)
        return answer

    def _page(self, request: HttpRequest, extra_context: Any) -> HttpResponse:
        answer: HttpResponse = super().login(request, extra_context)
        return answer
