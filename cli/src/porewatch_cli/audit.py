"""`porewatch audit`: does a report still fit its own audit trail?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from porewatch.domain.errors import InputRefused
from porewatch.domain.plain import say
from porewatch.domain.report import Report
from porewatch_cli.terminal import console, print_json
from porewatch_worker.report.trail import trail_faults


def audit_report(given: str, *, fetch: Callable[[str], Report], as_json: bool) -> bool:
    """Verify a file, a folder with a report.json, or a run by its id. True when all fits."""
    report = _report(given, fetch)
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


def _report(given: str, fetch: Callable[[str], Report]) -> Report:
    path = Path(given)
    path = path / "report.json" if path.is_dir() else path
    if not path.is_file():
        return fetch(given)
    try:
        return Report.model_validate_json(path.read_bytes())
    except ValidationError as e:
        raise InputRefused(
            say(e), file=str(path), remedy="name a report.json as Porewatch wrote it."
        ) from e
