"""Reasons: codes with values, and the catalogues that have their texts in each language."""
