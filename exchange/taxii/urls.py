"""Addresses of the TAXII door. They come last in exchange/urls.py: any first part of a path may be an API root."""

from django.urls import path, re_path

from exchange.taxii.collections import collection, collections
from exchange.taxii.discovery import discovery
from exchange.taxii.manifest import manifest
from exchange.taxii.object import single_object, versions
from exchange.taxii.objects import objects
from exchange.taxii.roots import api_root, nothing
from exchange.taxii.statuses import status

urlpatterns = [
    # PostgreSQL keeps no NUL, so nothing is at such an address: no view has to look for it.
    re_path(r"^(?P<api_root>[-\w]+)/[^\x00]*\x00", nothing, name="taxii-nothing-with-nul"),
    path("taxii2/", discovery, name="taxii-discovery"),
    re_path(r"^taxii2(?:/.+)?$", nothing, name="taxii-discovery-nothing"),
    path("<slug:api_root>/", api_root, name="taxii-root"),
    path("<slug:api_root>/status/<str:status_id>/", status, name="taxii-status"),
    path("<slug:api_root>/collections/", collections, name="taxii-collections"),
    path("<slug:api_root>/collections/<str:collection>/", collection, name="taxii-collection"),
    path("<slug:api_root>/collections/<str:collection>/objects/", objects, name="taxii-objects"),
    path("<slug:api_root>/collections/<str:collection>/manifest/", manifest, name="taxii-manifest"),
    path("<slug:api_root>/collections/<str:collection>/objects/<str:object_id>/", single_object, name="taxii-object"),
    path(
        "<slug:api_root>/collections/<str:collection>/objects/<str:object_id>/versions/",
        versions,
        name="taxii-versions",
    ),
    re_path(r"^(?P<api_root>[-\w]+)(?:/.*)?$", nothing, name="taxii-nothing"),
]
