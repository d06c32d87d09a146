"""Animals of a project by pathogens: how each stands now, and what was found before."""

from __future__ import annotations

from collections import Counter

from porewatch.domain.base import Count, Moment
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.calls.panel import Severity
from porewatch.domain.calls.standing import FOUND, Standing
from porewatch.domain.results.sample_states import Amount, Result, SampleState
from porewatch.domain.runs import SampleRole
from porewatch.usecases.views.recent_states import Recent, ScreenedRun
from porewatch.usecases.views.show_runs import Answer

MOST_MEMBERS = 20
"""Pathogens that have a column of their own."""
ORDER = {one: place for place, one in enumerate(Standing)}


class Cell(Answer):
    """How a pathogen stands in an animal, by the newest run that tested it for this pathogen; of
    several samples in that run, the one to look at first. `before`: when it was last detected in an
    earlier run of the window."""

    standing: Standing
    withheld: bool = False
    amount: Amount | None = None
    limit: Amount | None = None
    run_id: str = ""
    at: Moment | None = None
    before: Moment | None = None


class AnimalRow(Answer):
    """An animal, by its newest run. `cells`: of the columns; `others`: how many of the other
    members stand how."""

    subject: str
    species: str | None
    sample: str
    outcome: Outcome
    run_id: str
    run: str
    at: Moment
    cells: dict[str, Cell]
    others: dict[Standing, int]


class Column(Answer):
    code: str
    name: str
    severity: Severity


class Herd(Answer):
    """`columns`: members that were found in any animal, detected ones and severe ones first, or the
    one that was asked for; `left`: found ones without a column. `codes`: all members."""

    columns: tuple[Column, ...]
    left: int
    rows: tuple[AnimalRow, ...]
    codes: dict[str, str]


class HerdPage(Answer):
    """Animals as the newest runs of a project found them. `unread`: runs whose report has expired
    or cannot be read. `next`: `cursor` of the window of older runs; None: there are none."""

    herd: Herd
    unread: Count
    next: str | None


def show_herd(recent: Recent, *, code: str | None = None) -> Herd:
    """Controls are no animals. `code`: only this pathogen has a column."""
    members, by_animal = recent.members, _by_animal(recent)
    cells = {animal: _cells(visits) for animal, visits in by_animal.items()}
    found = _found(cells, recent)
    shown = [code] if code in members else found[:MOST_MEMBERS]
    rows = [_row(a, v, cells[a], shown, set(members)) for a, v in by_animal.items()]
    return Herd(
        columns=tuple(
            Column(code=c, name=members[c].name, severity=members[c].severity) for c in shown
        ),
        left=len(set(found) - set(shown)),
        rows=tuple(sorted(rows, key=lambda row: row.subject.casefold())),
        codes={c: one.name for c, one in sorted(members.items())},
    )


Visit = tuple[ScreenedRun, SampleState]


def _by_animal(recent: Recent) -> dict[str, list[Visit]]:
    """Newest first."""
    found: dict[str, list[Visit]] = {}
    for run, sample in recent.samples:
        if sample.role is SampleRole.SAMPLE:
            found.setdefault(sample.subject, []).append((run, sample))
    return found


def _cells(visits: list[Visit]) -> dict[str, Cell]:
    """Code -> how it stands."""
    cells: dict[str, Cell] = {}
    for run, sample in visits:
        for result in sample.results:
            cells[result.code] = _joined(cells.get(result.code), _cell(run, result))
    return cells


def _joined(known: Cell | None, cell: Cell) -> Cell:
    """`known` is of a run that is as new or newer."""
    if known is None:
        return cell
    if known.run_id == cell.run_id:
        first = min((known, cell), key=lambda one: (ORDER[one.standing], one.withheld))
        return first.model_copy(update={"before": known.before})
    if cell.standing is Standing.DETECTED and known.before is None:
        return known.model_copy(update={"before": cell.at})
    return known


def _cell(run: ScreenedRun, result: Result) -> Cell:
    return Cell(
        standing=result.standing,
        withheld=result.withheld,
        amount=result.amounts[0] if result.amounts else None,
        limit=result.limit,
        run_id=run.run_id,
        at=run.completed_at,
    )


def _found(cells: dict[str, dict[str, Cell]], recent: Recent) -> list[str]:
    """Codes that were found in any animal now or before, detected before indeterminate, then the
    most severe first."""
    severities, members = tuple(Severity), recent.members
    weight: dict[str, tuple[int, int, str]] = {}
    for own in cells.values():
        for code, cell in own.items():
            if cell.standing in FOUND or cell.before is not None:
                first = 0 if cell.standing is Standing.DETECTED or cell.before else 1
                mine = first, severities.index(members[code].severity), code
                weight[code] = min(weight.get(code, mine), mine)
    return sorted(weight, key=lambda code: weight[code])


def _row(
    animal: str, visits: list[Visit], cells: dict[str, Cell], shown: list[str], members: set[str]
) -> AnimalRow:
    run, sample = visits[0]
    untested = Cell(standing=Standing.NOT_TESTED)
    others = Counter(cells.get(code, untested).standing for code in members - set(shown))
    return AnimalRow(
        subject=animal,
        species=sample.species,
        sample=sample.sample,
        outcome=sample.outcome,
        run_id=run.run_id,
        run=run.name,
        at=run.completed_at,
        cells={code: cells.get(code, untested) for code in shown},
        others={one: others[one] for one in Standing if others[one]},
    )
