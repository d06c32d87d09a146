"""For operators: doctor, references, prices, orphans, dead letters, registry, chaos."""
