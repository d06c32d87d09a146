"""A report as version 1 wrote it: its reasons in words alone."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from porewatch.domain.results.audit import SignOff, chained
from porewatch.domain.results.report import VOLATILE, Report
from porewatch_worker.report.pages.run_record.audit_trail import trail_events

REASONS = {"why", "how", "type_c_why", "alarm_reasons", "limit_reasons", "remark_reasons"}
NAMED = {"few_reads", "few_starts", "no_sequence", "no_read", "not_by_sequencing", "crossover"}
"""Codes that version 1 had as well, of those that made-up reports hold."""


def of_version_1(report: Report) -> dict[str, Any]:
    """The document, without what version 2 added."""
    made: dict[str, Any] = _without(report.model_dump(mode="json"))
    for now, finding in zip(report.findings, made["findings"], strict=True):
        finding["reasons"] = [r.code.value for r in now.why if r.code in NAMED]
    return {**made, "schema_version": "1"}


def signed_version_1(report: Report) -> str:
    """The file of version 1, which said its reasons in words alone, knew neither some evidence nor
    some parameters, and signed it."""
    told = of_version_1(report)
    del told["provenance"]["parameters"]["far_distance"]
    for finding in told["findings"]:
        (finding["evidence"] or {}).pop("whole_identity", None)
    answered = {name: value for name, value in told.items() if name not in VOLATILE}
    text = json.dumps(answered, sort_keys=True, separators=(",", ":"))
    answers = hashlib.sha256(text.encode()).hexdigest()
    trail = chained(trail_events(Report.model_validate(told), told))
    signed = SignOff(report_sha256=answers, audit_head=trail.head)
    told |= {"audit": trail.model_dump(mode="json"), "sign_off": signed.model_dump(mode="json")}
    return json.dumps(told, ensure_ascii=False)


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(one) for one in value]
    if not isinstance(value, dict):
        return value
    spare = REASONS | ({"remarks"} if "remark" in value else set())
    return {name: _without(held) for name, held in value.items() if name not in spare}
