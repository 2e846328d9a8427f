"""Addresses of the REST door."""

from django.urls import path, re_path

from exchange.api.attribution import ExportView, LookupsView, LookupView
from exchange.api.attribution_views import NamesView, StandingView
from exchange.api.community import CollectionsView, KeysView, LabsView, WhoamiView
from exchange.api.documentation import SchemaView, show_documentation, show_extension, show_nothing
from exchange.api.events import EventsView
from exchange.api.hints import HintsView
from exchange.api.objects import ObjectsView, ObjectView, RecipientsView
from exchange.api.onward import OnwardDecisionView, OnwardRequestView, OnwardView
from exchange.api.playbooks import ChartView, PlaybooksView, PlaybookView
from exchange.api.selectors import EpochsView, EvaluationCountsView, EvaluationsView
from exchange.api.signatures import SignaturesView, SignatureView
from exchange.api.tokens import TokensView, TokenView
from exchange.api.versions import DifferenceView, VersionsView
from exchange.api.webhooks import WebhookResumptionView, WebhookSecretView, WebhooksView, WebhookView

urlpatterns = [
    # PostgreSQL keeps no NUL, so nothing is at such an address: no view has to look for it.
    re_path("\x00", show_nothing, name="api-nothing-with-nul"),
    path("v1/objects/", ObjectsView.as_view(), name="api-objects"),
    path("v1/objects/<str:stix_id>/", ObjectView.as_view(), name="api-object"),
    path("v1/objects/<str:stix_id>/versions/", VersionsView.as_view(), name="api-versions"),
    path("v1/objects/<str:stix_id>/diff/", DifferenceView.as_view(), name="api-difference"),
    path("v1/objects/<str:stix_id>/recipients/", RecipientsView.as_view(), name="api-recipients"),
    path("v1/signatures/", SignaturesView.as_view(), name="api-signatures"),
    path("v1/signatures/<str:stix_id>/", SignatureView.as_view(), name="api-signature"),
    path("v1/playbooks/", PlaybooksView.as_view(), name="api-playbooks"),
    path("v1/playbooks/<str:stix_id>/", PlaybookView.as_view(), name="api-playbook"),
    path("v1/playbooks/<str:stix_id>/chart.svg", ChartView.as_view(), name="api-playbook-chart"),
    path("v1/attribution/lookup", LookupView.as_view(), name="api-lookup"),
    path("v1/attribution/lookup/", LookupsView.as_view(), name="api-lookups"),
    path("v1/attribution/export", ExportView.as_view(), name="api-attribution-export"),
    path("v1/attribution/objects/<str:stix_id>/", StandingView.as_view(), name="api-attribution-object"),
    path("v1/attribution/actors/<str:stix_id>/", NamesView.as_view(), name="api-attribution-actor"),
    path("v1/onward/", OnwardView.as_view(), name="api-onward"),
    path("v1/onward/<str:public_id>/", OnwardRequestView.as_view(), name="api-onward-request"),
    path("v1/onward/<str:public_id>/decision/", OnwardDecisionView.as_view(), name="api-onward-decision"),
    path("v1/selectors/epochs/", EpochsView.as_view(), name="api-selector-epochs"),
    path("v1/selectors/evaluate/", EvaluationsView.as_view(), name="api-selector-evaluations"),
    path("v1/selectors/counts/", EvaluationCountsView.as_view(), name="api-selector-counts"),
    path("v1/collections/", CollectionsView.as_view(), name="api-collections"),
    path("v1/labs/", LabsView.as_view(), name="api-labs"),
    path("v1/labs/<str:slug>/keys/", KeysView.as_view(), name="api-keys"),
    path("v1/tokens/", TokensView.as_view(), name="api-tokens"),
    path("v1/tokens/<str:prefix>/", TokenView.as_view(), name="api-token"),
    path("v1/events/", EventsView.as_view(), name="api-events"),
    path("v1/hints/", HintsView.as_view(), name="api-hints"),
    path("v1/webhooks/", WebhooksView.as_view(), name="api-webhooks"),
    path("v1/webhooks/<str:public_id>/", WebhookView.as_view(), name="api-webhook"),
    path("v1/webhooks/<str:public_id>/secret/", WebhookSecretView.as_view(), name="api-webhook-secret"),
    path("v1/webhooks/<str:public_id>/resume/", WebhookResumptionView.as_view(), name="api-webhook-resume"),
    path("v1/whoami/", WhoamiView.as_view(), name="api-whoami"),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", show_documentation, name="api-docs"),
    path("docs/extensions/<str:name>.json", show_extension, name="api-extension"),
    re_path("^.*$", show_nothing, name="api-nothing"),
]
