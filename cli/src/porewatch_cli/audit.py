"""`porewatch audit`: does a report still fit its own audit trail, and the head that somebody kept?

A chain that was rewritten as a whole is sound in itself: only a head kept elsewhere tells it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from porewatch.domain.errors import InputRefused
from porewatch.domain.report import Report
from porewatch_cli.stack import Stack
from porewatch_cli.terminal import console, print_json
from porewatch_worker.report.trail import trail_faults

HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
REMEDY = "give the 64 characters that `porewatch audit` or the sign-off printed, or a file of them."


@dataclass(frozen=True)
class Anchored:
    """What the stack says of a report's head: a sentence, and whether it denies the report."""

    says: str
    denies: bool = False


def anchored(report: Report, stack: Stack) -> Anchored:
    """The anchor that the stack kept when it published the report, compared and proved."""
    anchors = stack.anchors
    anchor = anchors.of(report.run_id, report.revision) if anchors else None
    if anchors is None or anchor is None:
        return Anchored("the stack keeps no anchor of it (reports of earlier versions have none)")
    if not anchors.proves(anchor):
        return Anchored("the anchor in the ledger was not made by the stack's audit key", True)
    day = f"{anchor.at:%Y-%m-%d}"
    if report.audit is None or anchor.head != report.audit.head:
        return Anchored(
            f"the stack published another report: its head was {anchor.head} ({day})", True
        )
    return Anchored(f"the stack signed this head when it was published ({day})")


def audit_report(
    report: Report, *, as_json: bool, kept: str | None = None, anchor: Anchored | None = None
) -> bool:
    """Show every fault. True when all fits, the head `kept` from an earlier time and the stack's
    `anchor` included."""
    head = report.audit.head if report.audit else ""
    found = list(trail_faults(report))
    if kept is not None and head and kept != head:
        found.append(
            f"the head is not the one that was kept ({kept}): the trail was rewritten, "
            "or that head is another report's (of another run or revision)"
        )
    if anchor is not None and anchor.denies:
        found.append(anchor.says)
    entries = len(report.audit.entries) if report.audit else 0
    if as_json:
        told = {"run_id": report.run_id, "holds": not found, "head": head, "entries": entries}
        signed = anchor.says if anchor else None
        print_json({**told, "kept_head": kept, "anchor": signed, "faults": found})
        return not found
    for fault in found:
        console.print(Text.assemble(("changed", "bold red"), f" {fault}"), soft_wrap=True)
    if not found:
        console.print(f"{report.run_id}: {entries} entries, the chain holds.")
    if head:
        console.print(f"head {head}{_of_the_kept(head, kept)}", soft_wrap=True)
    if anchor is not None and not anchor.denies:
        console.print(anchor.says, soft_wrap=True)
    return not found


def kept_head(given: str) -> str:
    """The head that `--head` means: the hash itself, or the one in a file (what `porewatch audit`
    printed, an earlier report.json, a note). Raises InputRefused when there is none, or several."""
    if HASH.fullmatch(given.strip().lower()):
        return given.strip().lower()
    path = Path(given)
    if not path.is_file():
        raise InputRefused("this is neither a head nor a file.", file=given, remedy=REMEDY)
    text = path.read_text(encoding="utf-8", errors="replace")
    told = _in_json(text)
    there: dict[str, None] = dict.fromkeys(HASH.findall(text.lower()) if told is None else told)
    if len(there) != 1:
        raise InputRefused(
            f"there are {len(there)} heads in it." if there else "there is no head in it.",
            file=given,
            remedy=REMEDY,
        )
    return next(iter(there))


def _in_json(text: str) -> list[str] | None:
    """From a report (its trail) or from `porewatch audit --json`, whose other hashes are no heads;
    None for other text."""
    try:
        told = json.loads(text)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    trail = told.get("audit")
    head = trail.get("head") if isinstance(trail, dict) else told.get("head")
    return HASH.findall(head) if isinstance(head, str) else []


def _of_the_kept(head: str, kept: str | None) -> str:
    if kept is None:
        return "  (keep it elsewhere; --head compares it)"
    return "  (as kept)" if head == kept else ""
