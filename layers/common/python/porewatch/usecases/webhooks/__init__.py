"""Webhooks: managed by their users, chosen for an event, sent."""
