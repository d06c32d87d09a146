"""What the read-only commands print: runs, reports and bills."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules.revisions import reported
from porewatch.domain.runs import RunState
from porewatch.domain.signatures.signed_copies import original_of
from porewatch_cli.links import file_link, link
from porewatch_cli.reports import summary as tables
from porewatch_cli.reports.report_files import (
    of_samples,
    report_files,
)
from porewatch_cli.reports.reports import (
    archived_files,
    read_bill,
    read_report,
    save_reports,
    signed_copies,
    stored_report,
    with_report,
)
from porewatch_cli.runs.holds_and_deletions import hold_text
from porewatch_cli.runs.listed_run import ListedRun
from porewatch_cli.runs.verdict_text import (
    detections_text,
    result_text,
    revisions_text,
    state_text,
)
from porewatch_cli.terminal import console, print_json, table
from porewatch_worker.report.parts.languages import SOURCE, Language
from porewatch_worker.report.sample_files import sample_files

if TYPE_CHECKING:
    from porewatch_cli.operate.doctor_checks import Check
    from porewatch_cli.stack import Stack

LINK_SECONDS = 3600


def runs(stack: Stack, *, as_json: bool) -> None:
    found = list(stack.runs.list())
    reviews = stack.runs.reviews(found)
    if as_json:
        print_json([ListedRun(**run.model_dump(), review=reviews[run.run_id]) for run in found])
        return
    if not found:
        console.print("no runs yet; start one with `porewatch submit PATH`")
        return
    columns = (
        *("run", "name", "project", "state", "result", "review", "created", "findings", "USD"),
        "problem",
    )
    shown = table("", *columns, numeric=("USD",))
    for run in found:
        result = reported(run) or run
        shown.add_row(
            run.run_id,
            Text(run.name or "–"),
            run.project,
            state_text(run),
            result_text(result),
            reviews[run.run_id] or "–",
            run.created_at.strftime("%Y-%m-%d %H:%M"),
            detections_text(result),
            f"{run.cost_usd:.4f}",
            Text("; ".join(filter(None, (hold_text(run), run.problem, revisions_text(run))))),
        )
    console.print(shown)


def report(
    stack: Stack,
    run_id: str,
    *,
    out: Path | None,
    as_json: bool,
    language: Language = SOURCE,
    revision: int | None = None,
) -> None:
    """Print findings, and links to the report's files in `language`, or copies of all files.
    `as_json`: the stored document, unchanged."""
    run = with_report(stack, run_id, revision)
    content = read_report(stack, run)
    saved = save_reports(stack, run, out) if out else {}
    if as_json:
        print_json(stored_report(stack, run))
        return
    tables.show_report(content, language=language)
    if content.bill is not None:
        console.print(
            f"including the instance that made this report: porewatch cost {run_id}",
            style="dim",
        )
    bucket, copies = stack.bucket("Reports"), signed_copies(stack, run)
    keys = run.report_keys | copies
    here = report_files(language)
    signed = [name for name in copies if (of := original_of(name)) and of[0] in here]
    for name in (*sorted(signed), *here):
        if name in saved:
            where = file_link(saved[name])
        elif name in keys:
            address = bucket.link(keys[name], LINK_SECONDS)
            where = link(address, f"open it (the link expires after {LINK_SECONDS // 60} min)")
        else:
            where = Text("not published by that worker; --out FOLDER renders it from report.json")
        console.print(Text.assemble(f"{name:>14}  ", where), soft_wrap=True)
    for name in sorted(archived_files(stack, run)):
        console.print(f"{name:>14}  in the archive (docs/archive.md)", soft_wrap=True)
    if single := set(sample_files(content)):
        place = str(out) if out else "--out FOLDER copies them"
        console.print(of_samples(single, place), soft_wrap=True)


def ending(stack: Stack, run: RunRecord, language: Language = SOURCE) -> None:
    """Print the result of a run that is over."""
    if run.state is RunState.COMPLETED:
        summary(stack, run, language)
        console.print(Text.assemble(f"{run.run_id}: ", result_text(run)))
        return
    line = Text.assemble((run.state.value, "bold red"), f": {run.problem or ''}")
    console.print(line, soft_wrap=True)


def summary(stack: Stack, run: RunRecord, language: Language = SOURCE) -> None:
    """Print findings, accounting and bill of a finished run, and how to get the reports."""
    tables.show_report(read_report(stack, run), bill=read_bill(stack, run), language=language)
    console.print()
    console.print(f"reports: porewatch report {run.run_id} --out FOLDER")


VERDICT_STYLES = {"OK": "green", "WARN": "yellow", "FAIL": "bold red", "not answered": "dim"}


def checks(found: list[Check], *, as_json: bool) -> None:
    """Print the checks of `porewatch doctor`, one line each, with the remedy."""
    if as_json:
        print_json(found)
        return
    shown = table("would a launch work?", "check", "verdict", "seen", "what to do")
    for check in found:
        verdict = Text(check.verdict.value, style=VERDICT_STYLES[check.verdict.value])
        shown.add_row(check.what, verdict, Text(check.told), Text(check.remedy))
    console.print(shown)
