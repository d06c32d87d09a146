"""The terms that a report uses, explained in its language; heads of tables lead there."""

from __future__ import annotations

from porewatch_worker.report.parts.document import Section, Term, Terms
from porewatch_worker.report.parts.i18n import say

ORDER = (
    "call", "reportable", "breadth", "depth", "identity", "starts", "load", "lod95", "genomes",
    "spike", "ntc", "positive", "crosstalk", "host", "panel", "decoy", "filtered", "unassigned",
    "perv", "sealed", "epoch", "spot",
)  # fmt: skip
"""As a reader meets them: what was found, what it was judged by, how the run went."""
HEADS = {
    "head.call": "call",
    "head.outcome": "reportable",
    "head.breadth": "breadth",
    "head.depth": "depth",
    "head.identity": "identity",
    "head.starts": "starts",
    "head.load": "load",
    "head.lod": "lod95",
    "head.median_lod": "lod95",
    "head.recovery": "spike",
    "head.spike": "spike",
    "head.member": "panel",
    "head.plus_host": "host",
    "head.filtered": "filtered",
    "head.unassigned": "unassigned",
    "head.on_demand": "spot",
    "head.list": "panel",
}
"""Head of a column or a fact -> the term that explains it."""


def terms() -> Section:
    """All terms, at the end of the results' record."""
    made = (Term(_anchor(one), say(f"term.{one}"), say(f"term.{one}.says")) for one in ORDER)
    return Section("terms", say("terms.title"), (Terms(tuple(made)),))


def explained() -> dict[str, str]:
    """Head, as it is printed in this language -> the anchor of its term."""
    return {say(head): _anchor(term) for head, term in HEADS.items()}


def _anchor(term: str) -> str:
    return f"term-{term}"
