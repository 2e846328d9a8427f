"""What only people with a browser need: sessions, forms, sign-in, messages. Programs' addresses go by without it.

Programs bring their credentials with each request and never have a cookie. Setting all this up for each of their
requests costs a good part of what answering it does.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django_otp.middleware import OTPMiddleware

_PROGRAMS: Final = re.compile(r"/(?:api|taxii2)/|/[-\w]+/(?:collections|status)/")
"""REST and TAXII; an API root may be any first part of a path."""


def is_for_programs(request: HttpRequest) -> bool:
    """Whether the address is one that programs ask."""
    return _PROGRAMS.match(request.path_info) is not None


class _ForPersons:
    """Mixed in before a middleware of Django's."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if is_for_programs(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]  # the middleware that this is mixed into


class Sessions(_ForPersons, SessionMiddleware):
    """Django's sessions."""


class FormProtection(_ForPersons, CsrfViewMiddleware):
    """Django's protection against forged forms. Views of programs are exempt from it by themselves."""


class SignedInPersons(_ForPersons, AuthenticationMiddleware):
    """Who is signed in."""


class SecondFactors(_ForPersons, OTPMiddleware):  # type: ignore[misc]  # django_otp has no types
    """With which second factor."""


class Messages(_ForPersons, MessageMiddleware):
    """What the last form wanted to say."""
