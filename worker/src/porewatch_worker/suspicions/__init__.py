"""Alarms: by which rule, and while the run goes on."""
