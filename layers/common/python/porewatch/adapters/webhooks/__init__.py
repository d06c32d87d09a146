"""Webhooks in the people table, their secrets, their queue, and the request that is sent."""
