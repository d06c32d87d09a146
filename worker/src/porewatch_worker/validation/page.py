"""The result as one HTML file in the design of the report: no script, nothing from outside."""

from __future__ import annotations

import math
from collections.abc import Sequence

from porewatch.domain.reasons.catalogue import SOURCE
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import (
    Cell,
    Column,
    Figure,
    Figures,
    Page,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.parts.i18n import say, speaking
from porewatch_worker.report.render_html import templates
from porewatch_worker.validation.curves import WIDE, curve
from porewatch_worker.validation.result import (
    ClassResult,
    Limit,
    Point,
    Requirement,
    SetResult,
    Share,
    Validation,
)
from porewatch_worker.validation.score import share

POOLED = 10
"""Most points of the curve over all agents; neighbours are pooled."""
COPIES, READS = "genome copies", "expected reads"


def render_page(result: Validation) -> str:
    """A whole page in English; all text is escaped, only the plots made here go in as markup."""
    return templates().get_template("page.html.j2").render(doc=validation_page(result))


def validation_page(result: Validation) -> Page:
    """A pure function of the result."""
    with speaking(SOURCE):
        return Page(
            title=f"Validation pack: {verdict(result)}",
            subtitle=_made(result),
            language=SOURCE,
            labels=_labels(result),
            synthetic=True,
            sections=(
                _requirements(result),
                _overall(result),
                _classes(result),
                _sets(result),
            ),
        )


def verdict(v: Validation) -> str:
    """The verdict in a few words, with what so few trials cannot show."""
    if not v.holds:
        return "a requirement does not hold"
    few = sum(not r.shown for r in v.requirements)
    if not few:
        return "every requirement holds"
    are = "is" if few == 1 else "are"
    return f"every requirement holds; {few} of {len(v.requirements)} {are} tested too little"


def _made(v: Validation) -> str:
    return (
        f"Size {v.size}, seed {v.seed}, Porewatch {v.version}, parameters "
        f"{v.parameters_sha256[:12]}, {v.finished_at:%Y-%m-%d %H:%M} UTC, {v.seconds:.0f} s. "
        "Intervals are exact, 95 %."
    )


def _labels(v: Validation) -> dict[str, str]:
    return {
        "contents": say("page.contents"),
        "skip": "Skip to the requirements",
        "browser": f"Porewatch validation, {v.size}",
        "footer": "Made by Porewatch; research use, not a diagnostic device.",
        "research": say("page.research"),
        "banner_label": say("page.banner_label"),
        "banner_bold": say("page.banner_bold"),
        "banner": " genomes and reads: everything measured here is made up; nothing is about a "
        "real animal.",
    }


def _requirements(v: Validation) -> Section:
    table = Table(
        caption="Requirements, set before the run",
        columns=(
            Column("Requirement", width=3.2),
            Column("Measured", width=2.4),
            Column("Holds", width=2.0),
        ),
        rows=tuple((Cell(r.says), Cell(r.measured), _holds(r)) for r in v.requirements),
    )
    return Section("requirements", "Requirements", (Prose(v.reads_told), table))


def _holds(r: Requirement) -> Cell:
    if not r.holds:
        return Cell("no", tone="bad")
    if not r.shown:
        return Cell("yes", tone="warn", note=f"too few trials to show it: n = {r.trials}")
    return Cell("yes", tone="good", note=f"n = {r.trials}" if r.trials else "")


def _overall(v: Validation) -> Section:
    rows = (
        ("PPA at ten reads or more", share_text(v.positive)),
        (
            f"PPA at the stated LOD95 ({v.stated_limit_reads:.1f} expected reads) and above",
            share_text(v.at_limit),
        ),
        ("NPA", share_text(v.negative)),
        ("LOD95 as fitted", limit_text(v.limit, v.series, READS)),
    )
    table = Table(
        caption="Over all agents: positive and negative percent agreement, limit of detection",
        columns=(Column("What", width=2.6), Column("Measured", width=3.0)),
        rows=tuple((Cell(what), Cell(measured)) for what, measured in rows),
    )
    points = pooled(v.series)
    alt = f"Share detected by {READS}, all agents"
    many = f"{len(points)} pools of neighbouring amounts. " if len(points) < len(v.series) else ""
    drawn = curve(points, v.limit, "all agents", READS, width=WIDE)
    figure = Figure(drawn, many + CAPTION, alt)
    return Section("overall", "Overall", (table, Figures((figure,))))


CAPTION = (
    "Points are shares detected, bars their exact intervals; the line is 95 %, shaded is the "
    "interval of the LOD95."
)


def _classes(v: Validation) -> Section:
    table = Table(
        caption="By class of agents; a copy is a genome copy in the library, a tenth of whose "
        "bases is read",
        columns=(
            Column("Class", width=1.3),
            Column("Agents", width=2.0),
            Column("PPA at ten reads or more", width=2.0),
            Column("NPA", width=2.0),
            Column("LOD95", width=2.0),
        ),
        rows=tuple(
            (
                Cell(c.name),
                Cell(", ".join(c.agents)),
                Cell(share_text(c.agreement)),
                Cell(share_text(c.negative)),
                Cell(limit_text(c.limit, c.series, COPIES)),
            )
            for c in v.classes
        ),
    )
    drawn = Figures(tuple(_drawn(c) for c in v.classes))
    return Section("classes", "Classes", (table, drawn))


def _drawn(c: ClassResult) -> Figure:
    alt = f"{c.name}: share detected by {COPIES}"
    return Figure(curve(pooled(c.series), c.limit, c.name, COPIES), "", alt)


def _sets(v: Validation) -> Section:
    table = Table(
        caption="By set of simulated runs",
        columns=(
            Column("Set", width=1.2),
            Column("What is in it", width=3.0),
            Column("Samples", number=True, width=0.8),
            Column("Agents detected", width=2.0),
            Column("Others not detected", width=2.0),
            Column("False calls", width=2.0),
        ),
        rows=tuple(
            (
                Cell(s.name),
                Cell(s.about),
                Cell(f"{s.samples:,}"),
                Cell(share_text(s.positive)),
                Cell(share_text(s.negative)),
                _false(s),
            )
            for s in v.sets
        ),
    )
    return Section("sets", "Sets", (table,))


def _false(s: SetResult) -> Cell:
    alarms = []
    if s.right_alarms:
        alarms.append(f"recombinant alarms {share_text(s.right_alarms)}")
    if s.false_alarms:
        alarms.append(f"false alarms: {s.false_alarms}")
    wrong = s.judged and s.false_calls
    return Cell(
        ", ".join(s.false_calls) or "none", note="; ".join(alarms), tone="bad" if wrong else None
    )


def pooled(points: Sequence[Point], most: int = POOLED) -> tuple[Point, ...]:
    """Neighbouring amounts as one point, so that no more than `most` remain: hits and trials are
    added up, the amount is their mean on the logarithmic scale, weighted by trials."""
    if len(points) <= most:
        return tuple(points)
    low, high = (math.log(p.amount) for p in (points[0], points[-1]))
    if low == high:
        return (_one(points),)
    pools: dict[int, list[Point]] = {}
    for p in points:
        place = (math.log(p.amount) - low) / (high - low)
        pools.setdefault(min(most - 1, int(place * most)), []).append(p)
    return tuple(_one(pools[at]) for at in sorted(pools))


def _one(pool: Sequence[Point]) -> Point:
    hits, trials = (sum(getattr(p.rate, what) for p in pool) for what in ("hits", "trials"))
    mean = sum(math.log(p.amount) * p.rate.trials for p in pool) / trials
    rate = share(hits, trials)
    assert rate is not None  # noqa: S101 - every point has trials
    return Point(amount=math.exp(mean), rate=rate)


def share_text(share: Share | None) -> str:
    if share is None:
        return numbers.NOTHING
    bounds = f"{numbers.share(share.low, 1)} to {numbers.share(share.high, 1)}"
    return f"{numbers.share(share.share, 1)} ({bounds}; {share.hits:,} of {share.trials:,})"


def limit_text(limit: Limit | None, points: Sequence[Point], unit: str) -> str:
    """The LOD95, or why there is none: a series in which nothing was missed, or nothing found."""
    if limit is not None:
        low, value, high = map(numbers.figure, (limit.low, limit.value, limit.high))
        return f"{value} ({low} to {high}) {unit}"
    if not points:
        return "not measured"
    if any(p.rate.hits for p in points):
        return f"below {numbers.figure(points[0].amount)} {unit}: nothing was missed"
    return f"above {numbers.figure(points[-1].amount)} {unit}: nothing was found"
