"""The tables beside a report (TSV, Frictionless): shapes, words, rows, and their page in docs/."""
