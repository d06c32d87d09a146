"""Early screening: each file as it lands."""
