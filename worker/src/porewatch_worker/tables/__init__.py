"""The tables beside a report (TSV, Frictionless): shapes, texts, rows, and their page in docs/."""
