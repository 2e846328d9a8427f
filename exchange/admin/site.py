"""The operators' site: Django's admin, opened by password and one-time code only."""

from django_otp.admin import OTPAdminSite

from exchange.admin.signing_in import OperatorLoginForm


class OperatorsSite(OTPAdminSite):  # type: ignore[misc]  # django-otp has no type stubs
    """Operators see metadata of everything; the content of objects is not shown here."""

    site_header = "commonwatch operators"
    site_title = "commonwatch"
    login_form = OperatorLoginForm
    site_url = None
    index_title = "Labs, collections, keys and logs"
