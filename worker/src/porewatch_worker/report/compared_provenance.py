"""What two reports rest on, where they differ: references, list, parameters, tools, sequencing."""

from __future__ import annotations

from porewatch.domain.reasons.reason import Reasons
from porewatch_worker.report.compare import Comparison
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Cell, Column, Table
from porewatch_worker.report.parts.i18n import clauses, named, say

HEADS = {
    "bundle": "head.references",
    "bundle_sha256": "head.references_sha",
    "bundle_synthetic": "page.banner_label",
    "panel": "head.list",
    "panel_version": "compare.list_version",
    "panel_sha256": "head.list_sha",
    "parameters_sha256": "head.parameters_sha",
    "manifest_sha256": "head.manifest_sha",
    "basecalling": "head.basecalling",
    "sequencing.instrument": "head.instrument",
    "sequencing.flow_cell": "head.flow_cell",
    "sequencing.kit": "head.kit",
    "sequencing.basecall_model": "head.model",
    "sequencing.started_at": "head.sequencing_began",
    "sequencing.acquisition_id": "head.acquisition",
}
"""What a report rests on, by its place in `report.json`, and the message that names it."""


def made_of(comparison: Comparison) -> Table:
    """A row for each part that differs."""
    return Table(
        caption=say("compare.made_of_caption"),
        columns=(
            Column(say("head.what"), width=1.8),
            Column(say("head.before"), width=3.0, code=True),
            Column(say("head.after"), width=3.0, code=True),
        ),
        rows=tuple(
            (
                Cell(_part(m.what)),
                Cell(_value(m.before, m.before_why)),
                Cell(_value(m.after, m.after_why)),
            )
            for m in comparison.made_of
        ),
        empty=say("compare.made_of_none"),
    )


def _part(what: str) -> str:
    """The name of a part that two reports differ in."""
    if what in HEADS:
        return say(HEADS[what])
    kind, _, name = what.partition(".")
    if kind == "parameters":
        return named("parameter", name)
    return say("compare.tool", name=name) if kind == "tools" else what


def _value(value: str, why: Reasons) -> str:
    if value in ("True", "False"):
        return say("word.yes" if value == "True" else "word.no")
    return clauses(why) or value or numbers.NOTHING
