"""What follows from a fact: published on the bus, counted, written to the registry."""
