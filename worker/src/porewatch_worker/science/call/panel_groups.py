"""Panel rows that group several members: the members determine their calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from porewatch.domain.calls.findings import (
    Call,
    Finding,
)
from porewatch.domain.calls.panel import PanelEntry
from porewatch.domain.reasons.reason import Code, because, panel_note
from porewatch.domain.runs import Sample


def umbrella(entry: PanelEntry, sample: Sample, there: Mapping[str, Finding]) -> Finding:
    """The call of a group from its members; reads that members share count for the group."""
    members = [there[code] for code in entry.members if code in there]
    calls = {f.call for f in members}
    order = (Call.DETECTED, Call.INDETERMINATE, Call.ENDOGENOUS, Call.NOT_DETECTED)
    call = next((c for c in order if c in calls), Call.NOT_SCREENED)
    who = [f.code for f in members if f.call is call]
    shared = _shared_within(entry, members)
    remarks = panel_note(entry.status_reason)
    if shared:
        remarks = (*remarks, because(Code.GROUP_READS, reads=shared))
    by = because(Code.BY_MEMBERS, codes=tuple(who)) if who else because(Code.NO_MEMBER)
    return Finding(
        sample=sample.name,
        code=entry.code,
        name=entry.name,
        severity=entry.severity,
        call=call,
        why=(by,),
        remarks=remarks,
    )


def _shared_within(entry: PanelEntry, members: Sequence[Finding]) -> int:
    """Reads that tie between members of this umbrella alone, each counted once."""
    total = 0
    for finding in members:
        for names, reads in (finding.evidence.shared_with if finding.evidence else {}).items():
            group = {finding.code, *names.split("|")}
            if group <= set(entry.members) and finding.code == min(group):
                total += reads
    return total
