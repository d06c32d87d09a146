"""Findings that rest on env: PERV-C's own row, and a row for A/C recombinants beside the list.

Outside env the types are too much alike: a read of PERV-A that fits the backbone of PERV-C a little
better is no PERV-C. Where the bundle tells types by env, only env reads speak for C.
"""

from __future__ import annotations

from porewatch.domain.calls.evidence import TargetResult
from porewatch.domain.calls.findings import Call, Finding, PervResult, Quantity
from porewatch.domain.calls.panel import EXTRA, Severity
from porewatch_worker.science.call.perv import (
    ALARM_PAIR,
    ALARM_TYPE,
)
from porewatch_worker.science.call.remarks import (
    PERV,
    SYNTHETIC,
)

ENOUGH = 20
"""Typed env reads, none of them C, that outweigh reads of C's backbone."""

AC = f"{EXTRA}{PERV}AC"
_IN_HOST = "copies in the host's own genome are counted too"


def by_env(
    code: str, result: TargetResult | None, perv: PervResult | None
) -> tuple[Call, str] | None:
    """The call on PERV-C and its rule; None for other rows, or where env tells no type."""
    if code != f"{PERV}{ALARM_TYPE}" or perv is None or perv.type_c is None:
        return None
    call, rule = perv.type_c, perv.type_c_rule
    elsewhere = result.evidence.reads if result else 0
    if call is not Call.NOT_DETECTED:
        return call, f"{rule}; {_IN_HOST}"
    if not elsewhere:
        return call, rule
    rule += f"; {elsewhere} reads fit its genome best elsewhere, which tells no type"
    typed = sum(t.counted.reads for t in perv.types)
    return (call if typed >= ENOUGH else Call.INDETERMINATE), rule


def recombinant_finding(perv: PervResult) -> Finding | None:
    """A/C recombinants in one sample; None where env does not tell both types."""
    if not {name[-1] for name in perv.types_told} >= ALARM_PAIR:
        return None
    mine = [s for s in perv.sites if {s.left, s.right} == ALARM_PAIR]
    first = next((s for s in mine if s.call is Call.DETECTED), mine[0] if mine else None)
    call, rule = Call.NOT_DETECTED, f"no junction among {perv.counted.env_reads} reads over env"
    if perv.smallest_share is None:
        rule += ", too few for any recombinant to be seen reliably"
    if first:
        call = first.call
        rule = f"{first.left} then {first.right}, env {first.low} to {first.high}: {first.rule}"
    return Finding(
        sample=perv.sample,
        code=AC,
        name=f"{SYNTHETIC if perv.synthetic else 'PERV'}-A/C recombinant",
        severity=Severity.CRITICAL,
        call=call,
        rule=rule,
        lod95=_least(perv) if call is not Call.DETECTED else None,
    )


def _least(perv: PervResult) -> Quantity | None:
    if perv.smallest_share is None:
        return None
    return Quantity(
        value=perv.smallest_share,
        low=None,
        high=None,
        unit="of PERV copies",
        method="95 % chance of enough junction reads",
    )
