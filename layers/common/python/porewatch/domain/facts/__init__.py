"""Facts, their outbox, and what metrics, timeline, registry and alerts make of them."""
