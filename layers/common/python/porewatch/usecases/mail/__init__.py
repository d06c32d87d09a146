"""Mail to people: sent about a fact, stopped by a bounce, declined by its receiver."""
