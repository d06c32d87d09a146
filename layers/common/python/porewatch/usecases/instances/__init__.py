"""Instances: launched, authenticated, terminated and paid, source by source."""
