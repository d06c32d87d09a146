"""For operators: doctor, references, prices, orphans, dead-letter messages, registry, chaos."""
