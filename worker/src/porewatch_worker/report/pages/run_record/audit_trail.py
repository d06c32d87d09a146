"""A report's audit trail and sign-off, and whether a report still fits its own trail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from porewatch.domain.results.answers_digest import answers_digest, canonical_digest
from porewatch.domain.results.audit import (
    AuditTrail,
    Event,
    SignOff,
    chained,
    faults,
)
from porewatch.domain.results.report import Report

MADE_BY, EVENT, PHASE, ANSWERS = "made by", "event", "phase", "answers"
CODED = frozenset({"happened", "details"})
"""Fields of an entry of the history from which pages are rendered."""


def with_trail(report: Report) -> Report:
    """The report with its trail, and an empty sign-off block."""
    document = document_of(report)
    trail = chained(trail_events(report, document))
    sign_off = SignOff(report_sha256=answers_digest(document), audit_head=trail.head)
    return report.model_copy(update={"audit": trail, "sign_off": sign_off})


Document = Mapping[str, Any]
"""A report as in its file, which an older version may have written."""


def document_of(report: Report) -> Document:
    written: Document = json.loads(report.model_dump_json())
    return written


def trail_events(report: Report, document: Document) -> tuple[Event, ...]:
    """What made the report, what happened (oldest first), what each phase did, and the answers by
    their digest."""
    happened: list[Event] = [
        (e.at, f"{EVENT}: {written['what']}", _details(written))
        for e, written in sorted(
            zip(report.timeline, document["timeline"], strict=True), key=lambda pair: pair[0].at
        )
    ]
    phases: list[Event] = [
        (
            p.finished_at,
            f"{PHASE}: {p.phase.value}",
            {
                "status": p.status,
                "reason": written.get("reason", ""),
                "record_sha256": canonical_digest(written),
            },
        )
        for p, written in zip(report.phases, document["phases"], strict=True)
    ]
    last: Event = (report.created_at, ANSWERS, {"sha256": answers_digest(document)})
    return ((None, MADE_BY, _origin(report)), *happened, *phases, last)


def _details(written: Document) -> dict[str, str]:
    """Of one entry of the history. Pages show its codes where it has any, so these are covered,
    too; entries of older versions are their two texts and nothing else."""
    details = {"detail": str(written.get("detail", ""))}
    if CODED & written.keys():
        details["record_sha256"] = canonical_digest(written)
    return details


def trail_faults(report: Report, document: Document | None = None) -> Iterator[str]:
    """Every disagreement between the report and its trail; none when nothing was altered.

    `document` is the report as in its file: digests are of the text that was written, by any
    version, and not of the fields that this version reads from it."""
    if report.audit is None or report.sign_off is None:
        yield "this report has no audit trail"
        return
    written = document_of(report) if document is None else document
    yield from _faults(report, report.audit, report.sign_off, written)


def _faults(
    report: Report, trail: AuditTrail, sign_off: SignOff, document: Document
) -> Iterator[str]:
    yield from faults(trail)
    entries = [(e.at, e.what, e.details) for e in trail.entries]
    events = trail_events(report, document)
    due = [(at, what, dict(details)) for at, what, details in events]
    for index in range(max(len(entries), len(due))):
        if entries[index : index + 1] != due[index : index + 1]:
            what = (due[index : index + 1] or entries[index : index + 1])[0][1]
            yield f"entry {index + 1} ({what}) is not what the report itself says"
    if sign_off.audit_head != trail.head:
        yield "the sign-off block is for another audit head"
    if sign_off.report_sha256 != answers_digest(document):
        yield "the sign-off block is for other answers"


def _origin(report: Report) -> dict[str, str]:
    p = report.provenance
    rules = report.release
    return {
        "run": f"{report.run_id} r{report.revision}",
        "porewatch": p.porewatch_version,
        "bundle": f"{p.bundle} {p.bundle_sha256}",
        "panel": f"{p.panel} {p.panel_version} {p.panel_sha256}",
        "parameters_sha256": p.parameters_sha256,
        "manifest_sha256": p.manifest_sha256,
        "release_policy": f"{rules.policy} {rules.version} {rules.sha256}" if rules else "",
    }
