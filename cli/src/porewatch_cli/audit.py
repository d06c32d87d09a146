"""`porewatch audit`: does a report still fit its own audit trail?"""

from __future__ import annotations

from porewatch.domain.report import Report
from porewatch_cli.terminal import console, print_json
from porewatch_worker.report.trail import trail_faults


def audit_report(report: Report, *, as_json: bool) -> bool:
    """Show every fault. True when all fits."""
    found = list(trail_faults(report))
    head = report.audit.head if report.audit else ""
    entries = len(report.audit.entries) if report.audit else 0
    if as_json:
        told = {"run_id": report.run_id, "holds": not found, "head": head, "entries": entries}
        print_json({**told, "faults": found})
        return not found
    for fault in found:
        console.print(f"[bold red]changed[/] {fault}", highlight=False)
    if not found:
        console.print(f"{report.run_id}: {entries} entries, the chain holds.", highlight=False)
    console.print(f"head {head}", highlight=False, soft_wrap=True)
    return not found
