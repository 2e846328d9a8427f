"""Every address of the node."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from exchange.web import operations

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("healthz", operations.show_health, name="web-healthz"),
    path("readyz", operations.show_readiness, name="web-readyz"),
    path("metrics", operations.show_metrics, name="web-metrics"),
    path("api/", include("exchange.api.urls")),
    # Last: any first part of a path may be a TAXII API root.
    path("", include("exchange.taxii.urls")),
]
