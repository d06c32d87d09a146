"""Sending a run: collected, checked, uploaded, sealed; sample sheets."""
