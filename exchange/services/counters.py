"""What the process counts as it works, for /metrics. Counts carry codes and doors, never content."""

from prometheus_client import Counter

PUBLISHED = Counter(
    "commonwatch_published_objects", "Objects sent, by door and what became of them", ["door", "status"]
)
REFUSED = Counter("commonwatch_refused_objects", "Objects refused, by the code of the refusal", ["code"])
LIMITED = Counter("commonwatch_limited_requests", "Requests refused by a rate limit, by its kind", ["kind"])
UNLIMITED = Counter("commonwatch_unlimited_requests", "Requests that no rate limit saw, because the cache was away")
DELIVERED = Counter("commonwatch_delivered_objects", "Objects delivered, by door", ["door"])
EVENT_STREAMS = Counter("commonwatch_event_streams", "Event streams, by what ended or refused them", ["end"])
RECEIVED = Counter("commonwatch_received_objects", "Objects that came from peers, by what became of them", ["fate"])
QUARANTINED = Counter(
    "commonwatch_quarantined_objects", "Objects from peers that were not taken, by the code of the reason", ["reason"]
)
PEER_RUNS = Counter("commonwatch_peer_runs", "Runs of channels to peers, by outcome", ["outcome"])
PEER_HINTS = Counter("commonwatch_peer_hints", "Words to exchanges that there is something new", ["outcome"])
WEBHOOKS = Counter("commonwatch_webhook_deliveries", "Attempts to deliver to a webhook, by outcome", ["outcome"])
