"""Archive and thaw the bulky results of runs."""
