"""What the city measures of itself, in Prometheus' form."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_FINE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

COMMANDS = Histogram(
    "gotong_command_seconds", "From the command to its durable answer", ("service", "command", "outcome"), buckets=_FINE
)
REACTIONS = Histogram(
    "gotong_reaction_seconds", "From the event in hand to the reaction's end", ("service", "reaction"), buckets=_FINE
)
OUTBOX = Gauge("gotong_outbox_events", "Events saved and not yet published", ("service",))
RELAYED = Counter("gotong_relayed_events_total", "Events published", ("service",))
LAG = Gauge("gotong_consumer_lag_events", "Events published and not yet handled", ("group",))
PARKED = Counter("gotong_parked_events_total", "Events set aside after a failed reaction", ("service",))
FOLLOWERS = Gauge("gotong_sse_followers", "Open event streams")
