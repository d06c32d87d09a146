"""Porewatch: screening of nanopore reads for pathogens, on machines that may die at any line.

Rooms, from the inside out: `domain` (nouns and rules, pure), `reads` (streaming and checking read
files), `usecases` (one verb per module), `adapters` (boto3 behind small classes), `compute`
(machines), `edge` (Lambda only), `settings` (the only reader of the environment).
"""

__version__ = "0.1.0"
"""Of all four distributions: each pyproject.toml reads it here (docs/adr/0018)."""
