"""Generated documents: event schemas, docs/events.md, and the maps of docs/architecture.md."""
