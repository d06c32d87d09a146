"""The cost so far, and the cost of services when a run ends."""
