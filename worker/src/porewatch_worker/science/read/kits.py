"""Sequences that library kits add to molecules: `data/kit_sequences.tsv`, with source.

Adapters, primers and barcode flanks on one strand; reads show either. Those marked as joints are
inside a read where two molecules were joined, by ligation, in PCR or by the rapid kit.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import mappy


class KitSequence(NamedTuple):
    """One row of the file."""

    name: str
    sequence: str
    kits: str
    joint: bool
    source: str


@cache
def kit_sequences() -> tuple[KitSequence, ...]:
    """All of the file, in its order."""
    text = (files("porewatch_worker") / "data" / "kit_sequences.tsv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return tuple(
        KitSequence(r["name"], r["sequence"], r["kits"], r["joint"] == "yes", r["source"])
        for r in rows
    )


def both_strands(sequences: tuple[str, ...]) -> tuple[str, ...]:
    """Each sequence and its reverse complement, once."""
    there = [s for one in sequences for s in (one, str(mappy.revcomp(one)))]
    return tuple(dict.fromkeys(there))
