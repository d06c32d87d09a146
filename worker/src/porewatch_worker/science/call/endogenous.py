"""What every animal of the host species carries in its genome: expected, and no alarm.

The panel row says in which species (`endogenous_in`). Such a virus is called `endogenous`, not
detected or indeterminate, unless it is more than its host explains: copies per diploid genome whose
lower limit is above what the row expects, or reads of its own in a control, which is no animal.
Without reads of the host copies are not known, and nothing is in excess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from porewatch.domain.calls.evidence import SampleScreen, TargetResult
from porewatch.domain.calls.findings import Call, PervResult, Quantity
from porewatch.domain.calls.panel import (
    Panel,
    PanelEntry,
)
from porewatch.domain.runs import Sample, SampleRole

SEEN = (Call.DETECTED, Call.INDETERMINATE)
NOT_KNOWN = "copies per diploid genome are not known"
RNA = "RNA shows expression, not copies"
NO_EXPECTATION = "as measured, no expectation stated"


def inherited(entry: PanelEntry, sample: Sample, panel: Panel) -> bool:
    """Whether the sample's species carries it. Without a stated one, the list's own is meant."""
    return bool(entry.endogenous_in) and panel.species(sample.species) in entry.endogenous_in


def copies_of(code: str, perv: PervResult | None) -> Quantity | None:
    """Copies per diploid genome of one type; None where env does not tell it, or for RNA."""
    kind = code.rpartition("-")[2]
    types = perv.types if perv else ()
    return next((t.copies for t in types if t.name.rpartition("-")[2] == kind), None)


def excess(entry: PanelEntry, copies: Quantity | None) -> str:
    """That there are more copies than the row expects; nothing when the interval allows these."""
    expected = entry.expected_copies
    if expected is None or copies is None or (copies.low or 0.0) <= expected.most:
        return ""
    return f"{_amount(copies)}: more than the {expected.most:g} expected"


def as_inherited(
    entry: PanelEntry,
    judged: tuple[Call, str],
    result: TargetResult | None,
    screen: SampleScreen,
    *,
    sample: Sample,
    perv: PervResult | None,
) -> tuple[Call, str]:
    """The call and its rule for a row that the sample's species inherits."""
    call, rule = judged
    own = result.evidence.reads if result else 0
    copies = copies_of(entry.code, perv)
    if too_many := excess(entry, copies):
        return Call.DETECTED, too_many
    if call not in SEEN or (own and _unexplained(screen, sample)):
        return call, rule
    species = " or ".join(entry.endogenous_in)
    return Call.ENDOGENOUS, f"endogenous in {species}: {_told(entry, copies, sample)}"


def excess_alarms(
    panel: Panel, samples: Iterable[Sample], perv: Iterable[PervResult]
) -> Iterator[PervResult]:
    """The results, each with an alarm for every type that is there in more copies than expected."""
    by_name = {s.name: s for s in samples}
    for result in perv:
        rows = (e for e in panel.entries if inherited(e, by_name[result.sample], panel))
        said = ((e, excess(e, copies_of(e.code, result))) for e in rows)
        alarms = tuple(f"{_type_name(e, result)}: {told}." for e, told in said if told)
        yield result.model_copy(update={"alarms": (*result.alarms, *alarms)}) if alarms else result


def _type_name(entry: PanelEntry, perv: PervResult) -> str:
    kind = entry.code.rpartition("-")[2]
    return next(t.name for t in perv.types if t.name.rpartition("-")[2] == kind)


def _unexplained(screen: SampleScreen, sample: Sample) -> bool:
    """Reads in a control that no genome of an animal explains: a blank's own, and those of a
    positive control that holds nothing of the host."""
    if sample.role is SampleRole.POSITIVE_CONTROL:
        return not screen.account.host
    return sample.role is SampleRole.NO_TEMPLATE_CONTROL


def _told(entry: PanelEntry, copies: Quantity | None, sample: Sample) -> str:
    if copies is None:
        return RNA if sample.material == "rna" else NOT_KNOWN
    if entry.expected_copies is None:
        return f"{_amount(copies)}, {NO_EXPECTATION}"
    return f"{_amount(copies)}, at most {entry.expected_copies.most:g} expected"


def _amount(copies: Quantity) -> str:
    if copies.value is None:
        return f"at most {copies.high:.3g} {copies.unit}" if copies.high else NOT_KNOWN
    spread = f" ({copies.low:.3g} to {copies.high:.3g})" if copies.low and copies.high else ""
    return f"{copies.value:.3g}{spread} {copies.unit}"
