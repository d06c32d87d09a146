"""The end of a run: stages joined, reports published, audit heads anchored."""
