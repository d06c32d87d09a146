"""Mail to people: what it is about, who gets it, what it says."""
