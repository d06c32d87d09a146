"""A report as version 1 wrote it: its reasons in words alone."""

from __future__ import annotations

from typing import Any

from porewatch.domain.results.report import Report

REASONS = {"why", "how", "type_c_why", "alarm_reasons", "limit_reasons", "remark_reasons"}
NAMED = {"few_reads", "few_starts", "no_sequence", "no_read", "not_by_sequencing", "crossover"}
"""Codes that version 1 had as well, of those that made-up reports hold."""


def of_version_1(report: Report) -> dict[str, Any]:
    """The document, without what version 2 added."""
    made: dict[str, Any] = _without(report.model_dump(mode="json"))
    for now, finding in zip(report.findings, made["findings"], strict=True):
        finding["reasons"] = [r.code.value for r in now.why if r.code in NAMED]
    return {**made, "schema_version": "1"}


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(one) for one in value]
    if not isinstance(value, dict):
        return value
    spare = REASONS | ({"remarks"} if "remark" in value else set())
    return {name: _without(held) for name, held in value.items() if name not in spare}
