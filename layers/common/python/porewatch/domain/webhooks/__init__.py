"""Webhooks: who wants to hear of which events, where that may be sent, and how it is signed."""
