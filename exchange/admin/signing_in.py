"""How operators sign in: user name, password and one-time code at once, and one answer to everything that is wrong.

django-otp's own form tells a right password from a wrong one before it asks for the code.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django_otp.admin import OTPAdminAuthenticationForm
from django_otp.plugins.otp_totp.models import TOTPDevice

from exchange.models import Person

REFUSED = "Please enter the user name, password and one-time code of an operator."


class OperatorLoginForm(OTPAdminAuthenticationForm):  # type: ignore[misc]  # django-otp has no type stubs
    """Both factors in one step. django-otp counts failures and slows down guessing of codes."""

    otp_device = None
    otp_challenge = None
    otp_token = forms.CharField(
        label="One-time code",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except forms.ValidationError:
            self.user_cache = None
            raise forms.ValidationError(REFUSED, code="refused") from None
        return cleaned

    def _chosen_device(self, user: Person) -> TOTPDevice | None:
        # Locked, so that one code opens one session even when it is sent twice at once.
        return TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True).order_by("id").first()

    def _update_form(self, user: Person) -> None:
        """There is no device to choose."""
