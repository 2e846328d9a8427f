"""Every address of the node."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

from exchange.web import operations

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("healthz", operations.show_health, name="web-healthz"),
    path("readyz", operations.show_readiness, name="web-readyz"),
    path("metrics", operations.show_metrics, name="web-metrics"),
]
