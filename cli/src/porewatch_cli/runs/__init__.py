"""A run of a stack: watch, cost, alerts, legal holds and deletion."""
