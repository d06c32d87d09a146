"""Holding a run, releasing it, deleting it."""
