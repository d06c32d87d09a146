"""People upload a run: register it, send its files, describe its samples, seal it."""
