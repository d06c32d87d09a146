"""Findings that rest on env: PERV-C's own row, and a row for A/C recombinants beside the list.

Outside env the types are too similar: a read of PERV-A that fits the backbone of PERV-C a little
better is no PERV-C. Where the bundle types by env, only env reads count for C.
"""

from __future__ import annotations

from porewatch.domain.calls.evidence import TargetResult
from porewatch.domain.calls.findings import (
    Call,
    Finding,
    PervResult,
    Quantity,
)
from porewatch.domain.calls.panel import Severity
from porewatch.domain.reasons.reason import Code, Reasons, because
from porewatch_worker.science.call.perv_alarm import AC, ALARM_PAIR, ALARM_TYPE
from porewatch_worker.science.call.remarks import PERV, SYNTHETIC

ENOUGH = 20
"""Typed env reads, none of them C, that outweigh reads of C's backbone."""


def by_env(
    code: str, result: TargetResult | None, perv: PervResult | None
) -> tuple[Call, Reasons] | None:
    """The call on PERV-C and its reasons; None for other rows, or where env determines no type."""
    if code != f"{PERV}{ALARM_TYPE}" or perv is None or perv.type_c is None:
        return None
    call, why = perv.type_c, perv.type_c_why
    elsewhere = result.evidence.reads if result else 0
    if call is not Call.NOT_DETECTED:
        return call, (*why, because(Code.PERV_HOST_COUNTED))
    if not elsewhere:
        return call, why
    why = (*why, because(Code.PERV_ELSEWHERE, reads=elsewhere))
    typed = sum(t.counted.reads for t in perv.types)
    return (call if typed >= ENOUGH else Call.INDETERMINATE), why


def recombinant_finding(perv: PervResult) -> Finding | None:
    """A/C recombinants in one sample; None where env does not determine both types."""
    if not {name[-1] for name in perv.types_told} >= ALARM_PAIR:
        return None
    mine = [s for s in perv.sites if {s.left, s.right} == ALARM_PAIR]
    first = next((s for s in mine if s.call is Call.DETECTED), mine[0] if mine else None)
    none = Code.NO_JUNCTION if perv.smallest_share is not None else Code.NO_JUNCTION_FEW_READS
    call, why = Call.NOT_DETECTED, because(none, reads=perv.counted.env_reads)
    if first:
        call = first.call
        why = because(
            Code.JUNCTION_AT, left=first.left, right=first.right, low=first.low, high=first.high,
            why=first.why,
        )  # fmt: skip
    return Finding(
        sample=perv.sample,
        code=AC,
        name=f"{SYNTHETIC if perv.synthetic else 'PERV'}-A/C recombinant",
        severity=Severity.CRITICAL,
        call=call,
        why=(why,),
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
        how=(because(Code.CHANCE_OF_JUNCTIONS),),
    )
