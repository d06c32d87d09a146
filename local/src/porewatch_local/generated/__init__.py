"""Generated documents: event schemas and docs/events.md."""
