"""Alerts: raised, sent, escalated, settled when the run has ended."""
