"""Which model has which page. What shows or changes secrets past the services is taken off the site."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import Group
from django_otp.plugins.otp_totp.models import TOTPDevice

from attribution.models import AllowedNetwork
from exchange.admin import content, federation, members, protection, quarantine
from exchange.models import (
    ApiRoot,
    AuditEvent,
    Collection,
    Delivery,
    Grant,
    IdentityApproval,
    Lab,
    Peer,
    PeerChannel,
    PeerErrand,
    Person,
    Pin,
    QuarantinedObject,
    SigningKey,
    Token,
)

PAGES = {
    Lab: members.LabPage,
    Person: members.PersonPage,
    Token: members.TokenPage,
    Pin: members.PinPage,
    SigningKey: members.SigningKeyPage,
    IdentityApproval: members.IdentityApprovalPage,
    ApiRoot: content.RootPage,
    Collection: content.CollectionPage,
    Grant: content.GrantPage,
    Peer: federation.PeerPage,
    PeerChannel: federation.ChannelPage,
    PeerErrand: federation.ErrandPage,
    QuarantinedObject: quarantine.QuarantinePage,
    AllowedNetwork: protection.AllowedNetworkPage,
    AuditEvent: content.AuditEventPage,
    Delivery: content.DeliveryPage,
}


def register_pages() -> None:
    """Register every page. TOTP devices would show their secrets; groups mean nothing here."""
    for model in (Group, TOTPDevice):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
    for model, page in PAGES.items():
        admin.site.register(model, page)
