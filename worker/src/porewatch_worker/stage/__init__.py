"""The stage loop: units in order, prefetch, checkpoints, stop requests, poison units."""
