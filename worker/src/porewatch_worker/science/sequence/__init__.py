"""Bases alone: k-mers, complexity, alignments base by base, conserved regions."""
