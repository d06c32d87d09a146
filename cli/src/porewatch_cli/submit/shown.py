"""What commands that send a run print: the submission, or every invalid file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.text import Text

from porewatch.domain.errors import Refused
from porewatch_cli.plurals import plural
from porewatch_cli.submit.submission import Submission
from porewatch_cli.terminal import console, errors, table


def faults(found: Sequence[Refused]) -> None:
    """Print every invalid file with the position of its fault and the remedy."""
    shown = table("files that cannot be used", "file", "record", "line", "problem", "what to do")
    for fault in found:
        shown.add_row(
            Text(fault.file or ""),
            str(fault.record or ""),
            str(fault.line or ""),
            Text(fault.problem, style="red"),
            Text(fault.remedy or ""),
        )
    errors.print(shown)


def submitted(sent: Submission) -> dict[str, Any]:
    return asdict(sent)


def print_submitted(sent: Submission) -> None:
    content = (
        f", {plural(sent.reads, 'read')}, {(sent.bases or 0) / 1e6:,.1f} Mb" if sent.reads else ""
    )
    again = "" if sent.sent else " (all of it existed already)"
    summary = f": {plural(sent.files, 'file')}, {sent.bytes / 1e6:,.1f} MB{content}{again}; sealed"
    console.print(Text.assemble("run ", (sent.run_id, "bold"), summary))
    for line in (*sent.left_out, *sent.remarks):
        console.print(f"  {line}")
    console.print(f"  follow it: porewatch watch {sent.run_id}")
