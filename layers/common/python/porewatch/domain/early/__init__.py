"""Early screening: each file as it lands, while the run goes on. Pure."""
