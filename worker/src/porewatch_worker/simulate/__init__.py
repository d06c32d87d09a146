"""Invented genomes and reads, for the demo and for tests. Nothing here is a real sequence.

Everything is drawn from one seed: the same seed gives the same bytes. Sequences are numpy arrays of
codes 0..3 for A, C, G, T (so that 3 - code is the complement) until they are written.
Order: `edits` (how a sequence changes) -> `genomes` -> `errors` -> `headers` -> `reads` -> `demo`.
"""
