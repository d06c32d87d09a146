"""Endogenous viruses, which every animal of the host species carries: expected, and no alarm.

The panel row names the species (`endogenous_in`). Such a virus is called `endogenous`, not detected
or indeterminate, unless the host does not explain it: copies per diploid genome with a lower limit
above the row's expectation, or reads of its own in a control, which is no animal. Without reads of
the host copies are unknown, and nothing is in excess.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from porewatch.domain.calls.evidence import (
    SampleScreen,
    TargetResult,
)
from porewatch.domain.calls.findings import (
    Call,
    PervResult,
    Quantity,
)
from porewatch.domain.calls.panel import Panel, PanelEntry
from porewatch.domain.reasons.reason import Code, Reason, Reasons, because
from porewatch.domain.runs import Sample, SampleRole

SEEN = (Call.DETECTED, Call.INDETERMINATE)


def inherited(entry: PanelEntry, sample: Sample, panel: Panel) -> bool:
    """Whether the sample's species carries it. Without a stated one, the list's own is meant."""
    return bool(entry.endogenous_in) and panel.species(sample.species) in entry.endogenous_in


def copies_of(code: str, perv: PervResult | None) -> Quantity | None:
    """Copies per diploid genome of one type; None where env does not determine it, or for RNA."""
    kind = code.rpartition("-")[2]
    types = perv.types if perv else ()
    return next((t.copies for t in types if t.name.rpartition("-")[2] == kind), None)


def excess(entry: PanelEntry, copies: Quantity | None) -> Reason | None:
    """That there are more copies than the row expects; None when the interval allows these."""
    expected = entry.expected_copies
    if expected is None or copies is None or (copies.low or 0.0) <= expected.most:
        return None
    return because(Code.COPIES_EXCESS, copies=_amount(copies), most=expected.most)


def as_inherited(
    entry: PanelEntry,
    judged: tuple[Call, Reasons],
    result: TargetResult | None,
    screen: SampleScreen,
    *,
    sample: Sample,
    perv: PervResult | None,
) -> tuple[Call, Reasons]:
    """The call, and why, for a row that the sample's species inherits."""
    call, _ = judged
    own = result.evidence.reads if result else 0
    copies = copies_of(entry.code, perv)
    if too_many := excess(entry, copies):
        return Call.DETECTED, (too_many,)
    if call not in SEEN or (own and _unexplained(screen, sample)):
        return judged
    there = _copies(entry, copies, sample)
    return Call.ENDOGENOUS, (
        because(Code.ENDOGENOUS, species=tuple(entry.endogenous_in), copies=there),
    )


def excess_alarms(
    panel: Panel, samples: Iterable[Sample], perv: Iterable[PervResult]
) -> Iterator[PervResult]:
    """The results, each with an alarm for every type that is there in more copies than expected."""
    by_name = {s.name: s for s in samples}
    for result in perv:
        rows = (e for e in panel.entries if inherited(e, by_name[result.sample], panel))
        found = ((e, excess(e, copies_of(e.code, result))) for e in rows)
        alarms = tuple(
            because(Code.PERV_ALARM_EXCESS, name=_type_name(e, result), why=why)
            for e, why in found
            if why
        )
        more = {"alarm_reasons": (*result.alarm_reasons, *alarms)}
        yield result.model_copy(update=more) if alarms else result


def _type_name(entry: PanelEntry, perv: PervResult) -> str:
    kind = entry.code.rpartition("-")[2]
    return next(t.name for t in perv.types if t.name.rpartition("-")[2] == kind)


def _unexplained(screen: SampleScreen, sample: Sample) -> bool:
    """Reads in a control that no genome of an animal explains: a blank's own, and those of a
    positive control that holds nothing of the host."""
    if sample.role is SampleRole.POSITIVE_CONTROL:
        return not screen.account.host
    return sample.role is SampleRole.NO_TEMPLATE_CONTROL


def _copies(entry: PanelEntry, copies: Quantity | None, sample: Sample) -> Reason:
    if copies is None:
        return because(Code.RNA_NO_COPIES if sample.material == "rna" else Code.COPIES_UNKNOWN)
    if entry.expected_copies is None:
        return because(Code.COPIES_NOT_STATED, copies=_amount(copies))
    return because(Code.COPIES_EXPECTED, copies=_amount(copies), most=entry.expected_copies.most)


def _amount(copies: Quantity) -> Reason:
    low, high = copies.low, copies.high
    if copies.value is None:
        return because(Code.COPIES_AT_MOST, most=high) if high else because(Code.COPIES_UNKNOWN)
    if low and high:
        return because(Code.COPIES_BETWEEN, value=copies.value, low=low, high=high)
    return because(Code.COPIES, value=copies.value)
