"""Evidence of early screening, kept."""
